/** Manifests, indexes and configurations that a registry may send: sound ones are read, all others are refused with the place. */
import { describe, expect, test } from "bun:test";
import { decodeConfig } from "../../../src/image/config.ts";
import { ImageError } from "../../../src/image/image-error.ts";
import { decodeManifest } from "../../../src/image/manifest.ts";

const digest = (seed: number) => `sha256:${seed.toString(16).padStart(64, "0")}`;
const oci = "application/vnd.oci.image.manifest.v1+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const layer = (seed: number, mediaType = "application/vnd.oci.image.layer.v1.tar+gzip", size: unknown = 10) => ({
  mediaType,
  digest: digest(seed),
  size,
});
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest(1), size: 2 };
const sound = { schemaVersion: 2, mediaType: oci, config, layers: [layer(2), layer(3)] };

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const read = (value: unknown, type = oci) => decodeManifest(bytes(value), type, "test");

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    expect(error.diagnostic.code).toBe("invalid_image");
    return error.message;
  }
  throw new Error("it was taken");
}

describe("a manifest", () => {
  test("of OCI and of docker is read", () => {
    expect(read(sound)).toMatchObject({ kind: "manifest", layers: [{ compression: "gzip" }, { compression: "gzip" }] });
    const theirs = {
      schemaVersion: 2,
      mediaType: docker,
      config: { ...config, mediaType: "application/vnd.docker.container.image.v1+json" },
      layers: [layer(2, "application/vnd.docker.image.rootfs.diff.tar.gzip")],
    };
    expect(read(theirs, docker)).toMatchObject({ kind: "manifest", mediaType: docker });
  });

  test("without a type of its own has the one that it was sent with", () => {
    const { mediaType: _, ...untyped } = sound;
    expect(read(untyped)).toMatchObject({ kind: "manifest", mediaType: oci });
    expect(read(untyped, "text/plain")).toMatchObject({ kind: "manifest", mediaType: oci });
    expect(refusal(() => read(untyped, ociIndex))).toContain("mediaType");
  });

  test("may have no layers, and one layer twice", () => {
    expect(read({ ...sound, layers: [] })).toMatchObject({ layers: [] });
    expect(read({ ...sound, layers: [layer(2), layer(2)] })).toMatchObject({ kind: "manifest" });
  });

  test.each([
    ["plain", "application/vnd.oci.image.layer.v1.tar", "none"],
    ["zstd", "application/vnd.oci.image.layer.v1.tar+zstd", "zstd"],
    ["docker's plain", "application/vnd.docker.image.rootfs.diff.tar", "none"],
    ["not for distribution", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "gzip"],
  ])("may have a layer that is %s", (_, type, compression) => {
    expect(read({ ...sound, layers: [layer(2, type)] })).toMatchObject({ layers: [{ compression }] });
  });

  test.each<[string, unknown, string]>([
    ["is no JSON", "{", "JSON"],
    ["is no object", "[]", "an object"],
    ["is null", "null", "an object"],
    ["has a wrong version", { ...sound, schemaVersion: 3 }, "schemaVersion"],
    ["has no version", { ...sound, schemaVersion: undefined }, "schemaVersion"],
    ["is of docker's first format", { ...sound, schemaVersion: 1 }, "old format"],
    ["says another type", { ...sound, mediaType: docker }, "mediaType"],
    ["is an index too", { ...sound, manifests: [] }, "either"],
    ["has a negative size", { ...sound, layers: [layer(2, undefined, -1)] }, "layers[0].size"],
    ["has a fractional size", { ...sound, layers: [layer(2, undefined, 1.5)] }, "layers[0].size"],
    ["has a size as text", { ...sound, layers: [layer(2, undefined, "10")] }, "layers[0].size"],
    ["has no size", { ...sound, layers: [layer(2), { ...layer(3), size: undefined }] }, "layers[1].size"],
    ["has a size beyond counting", { ...sound, layers: [layer(2, undefined, 2 ** 60)] }, "layers[0].size"],
    ["has two sizes for one digest", { ...sound, layers: [layer(2), layer(2, undefined, 11)] }, "one size"],
    ["has a layer of another kind", { ...sound, layers: [layer(2, "application/zip")] }, "layers[0].mediaType"],
    [
      "has a foreign layer",
      { ...sound, layers: [layer(2, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")] },
      "layers[0]",
    ],
    ["has a layer named after a method", { ...sound, layers: [layer(2, "toString")] }, "layers[0].mediaType"],
    ["has layers that are no list", { ...sound, layers: {} }, "layers"],
    ["has 501 layers", { ...sound, layers: Array.from({ length: 501 }, (_, n) => layer(n + 2)) }, "at most 500"],
    ["has no configuration", { ...sound, config: undefined }, "config"],
    [
      "is an artifact",
      { ...sound, config: { ...config, mediaType: "application/vnd.cncf.helm.config.v1+json" } },
      "no image",
    ],
    ["has an md5 digest", { ...sound, config: { ...config, digest: `md5:${"0".repeat(32)}` } }, "config.digest"],
    ["has a short digest", { ...sound, config: { ...config, digest: "sha256:00" } }, "config.digest"],
    [
      "has a digest in capitals",
      { ...sound, config: { ...config, digest: `sha256:${"A".repeat(64)}` } },
      "config.digest",
    ],
    [
      "has a digest with a path",
      { ...sound, config: { ...config, digest: `sha256:../../${"0".repeat(58)}` } },
      "config.digest",
    ],
    ["is larger than 4 MiB", `{"x":"${"y".repeat(4 << 20)}"}`, "4 MiB"],
    ["is no manifest at all", { schemaVersion: 2, mediaType: "application/json" }, "mediaType"],
  ])("that %s is refused", (_, value, place) => expect(refusal(() => read(value))).toContain(place));

  test("that is no UTF-8 is refused", () => {
    expect(refusal(() => decodeManifest(Uint8Array.of(0x7b, 0xff, 0x7d), oci, "test"))).toContain("UTF-8");
  });
});

describe("an index", () => {
  const entry = {
    mediaType: oci,
    digest: digest(5),
    size: 7,
    platform: { os: "linux", architecture: "arm64", variant: "v8" },
  };

  test("is read with its platforms", () => {
    const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [entry, { ...entry, platform: undefined }] };
    expect(read(index, ociIndex)).toMatchObject({
      kind: "index",
      entries: [{ platform: { architecture: "arm64" } }, { platform: undefined }],
    });
  });

  test.each<[string, unknown, string]>([
    ["is a manifest too", { schemaVersion: 2, mediaType: ociIndex, manifests: [entry], layers: [] }, "either"],
    [
      "has an entry with a negative size",
      { schemaVersion: 2, manifests: [{ ...entry, size: -7 }] },
      "manifests[0].size",
    ],
    ["has too many entries", { schemaVersion: 2, manifests: Array(1001).fill(entry) }, "at most 1000"],
    [
      "has a platform that is no object",
      { schemaVersion: 2, manifests: [{ ...entry, platform: "linux" }] },
      "platform",
    ],
  ])("that %s is refused", (_, value, place) => expect(refusal(() => read(value, ociIndex))).toContain(place));
});

describe("a configuration", () => {
  const base = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digest(1), digest(2)] } };
  const decode = (run: unknown, more: object = {}) => decodeConfig(bytes({ ...base, config: run, ...more }), "test");

  test("gives what a run needs", () => {
    const run = {
      Env: ["PATH=/bin", "EMPTY=", "EQUALS=a=b"],
      Entrypoint: ["/init"],
      Cmd: null,
      WorkingDir: "srv",
      User: "app:1000",
      StopSignal: "SIGQUIT",
      Volumes: { "/data": {}, "var/../srv//x/.": null, "/": {}, "../..": {} },
      Labels: { a: "b" },
    };
    expect(decode(run)).toMatchObject({
      env: [
        { name: "PATH", value: "/bin" },
        { name: "EMPTY", value: "" },
        { name: "EQUALS", value: "a=b" },
      ],
      entrypoint: ["/init"],
      cmd: [],
      workingDir: "/srv",
      user: "app:1000",
      stopSignal: "SIGQUIT",
      volumes: ["/data", "/srv/x"],
      labels: { a: "b" },
      diffIds: [digest(1), digest(2)],
    });
  });

  test("may say nothing about the run", () => {
    expect(decode(undefined)).toMatchObject({
      env: [],
      entrypoint: [],
      cmd: [],
      workingDir: undefined,
      user: undefined,
      volumes: [],
    });
    expect(decode({ User: "", WorkingDir: "" })).toMatchObject({ user: undefined, workingDir: undefined });
  });

  test.each<[string, () => unknown, string]>([
    ["has a variable without a name", () => decode({ Env: ["=x"] }), "config.Env[0]"],
    ["has a variable without a value", () => decode({ Env: ["A=1", "B"] }), "Env[1]"],
    ["has a NUL in a variable", () => decode({ Env: ["A=\0"] }), "NUL"],
    ["has a NUL in the command", () => decode({ Cmd: ["a\0b"] }), "NUL"],
    ["has a number in the command", () => decode({ Cmd: ["sh", 1] }), "Cmd[1]"],
    ["has a command that is no list", () => decode({ Cmd: "sh" }), "Cmd"],
    ["has a line break in the user", () => decode({ User: "a\nb" }), "User"],
    ["has a NUL in a volume", () => decode({ Volumes: { "/a\0": {} } }), "Volumes"],
    ["has volumes that are a list", () => decode({ Volumes: ["/a"] }), "Volumes"],
    [
      "has more volumes than anybody needs",
      () => decode({ Volumes: Object.fromEntries(Array.from({ length: 129 }, (_, index) => [`/${index}`, {}])) }),
      "Volumes",
    ],
    ["has a NUL in the directory", () => decode({ WorkingDir: "/\0" }), "WorkingDir"],
    ["has a label that is no text", () => decode({ Labels: { a: 1 } }), "Labels.a"],
    ["has no layers' digests", () => decode({}, { rootfs: undefined }), "rootfs"],
    ["has another kind of root", () => decode({}, { rootfs: { type: "vhd", diff_ids: [] } }), "rootfs.type"],
    [
      "has a digest that is none",
      () => decode({}, { rootfs: { type: "layers", diff_ids: ["sha256:x"] } }),
      "diff_ids[0]",
    ],
  ])("that %s is refused", (_, run, place) => expect(refusal(run)).toContain(place));

  test("with a member named like a method of objects is no surprise", () => {
    expect(decode(JSON.parse('{"__proto__": {"User": "evil"}}'))).toMatchObject({ user: undefined });
  });
});
