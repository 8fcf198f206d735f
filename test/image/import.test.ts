/** Images from files: everything that docker, podman, skopeo and tar write, and what only looks like it. */
import { beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, cpSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { rauha } from "../support/rauha.ts";
import { sha256, testLayout } from "../support/test-images.ts";
import { tool } from "../support/tools.ts";
import { codeOf, expectConsistent, imageCaller, leftovers } from "./store.ts";

let layout = "";
let folder = "";
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  layout = await testLayout();
  folder = makeFolder("archives");
  const copy = (to: string, tag: string) =>
    tool(["skopeo", "copy", "-q", "--insecure-policy", `oci:${layout}:${tag}`, to]);
  await copy(`docker-archive:${at("docker.tar")}:example.test/tools/box:7`, "busybox");
  await copy(`docker-archive:${at("nameless.tar")}`, "layered");
  await copy(`oci-archive:${at("oci.tar")}:box`, "layered");
  const root = writeFiles(at("rootfs"), { "bin/": "", "etc/name": "a root\n", "usr/bin/": "" });
  symlinkSync("usr/lib", join(root, "lib"));
  await tool(["tar", "-C", root, "-cf", at("rootfs.tar"), "."]);
  // As `docker export` and debootstrap's makers write it: no entry for the root itself.
  await tool(["tar", "-C", root, "-cf", at("bare.tar"), "etc", "bin", "usr", "lib"]);
  for (const name of ["docker", "oci", "rootfs"]) {
    await tool(["gzip", "-k", at(`${name}.tar`)]);
    await tool(["zstd", "-q", at(`${name}.tar`)]);
  }
}, patient(60_000));

async function expectImported(names: readonly string[], ...args: string[]) {
  const caller = imageCaller();
  const ended = await caller.image("import", "--json", ...args);
  expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
  const { images } = JSON.parse(ended.stdout) as { images: { reference: string; digest: string; platform: string }[] };
  expect(images.map(({ reference }) => reference)).toEqual([...names]);
  expect(expectConsistent(caller.root).references).toEqual([...names]);
  expect(leftovers(caller.root)).toEqual([]);
  const inspected = JSON.parse((await caller.image("inspect", "--json", names[0] ?? "")).stdout);
  return { caller, images, inspected };
}

async function expectRefused(code: string, ...args: string[]) {
  const caller = imageCaller();
  const { ended, events } = await caller.lines("import", ...args);
  expect([codeOf(events), ended.exitCode]).toEqual([code, code === "usage" || code === "invalid_argument" ? 2 : 125]);
  expect(expectConsistent(caller.root).references).toEqual([]);
  expect(leftovers(caller.root)).toEqual([]);
  return ended.stderr;
}

describe.each(["", ".gz", ".zst"])("packed as %p", (packing) => {
  test("an archive of docker save is an image under its own name, or another", async () => {
    const { inspected } = await expectImported(["example.test/tools/box:7"], at(`docker.tar${packing}`));
    expect(inspected).toMatchObject({
      config: { user: "app", working_dir: "/srv" },
      layers: [{ compression: "none" }],
    });
    await expectImported(["docker.io/library/other:1"], at(`docker.tar${packing}`), "other:1");
  });

  test("an OCI archive keeps the digest of its manifest", async () => {
    const { images } = await expectImported(["docker.io/library/box:latest"], at(`oci.tar${packing}`));
    const index = JSON.parse(await tool(["tar", "-xOf", at("oci.tar"), "index.json"])) as {
      manifests: { digest: string }[];
    };
    expect(images[0]?.digest).toBe(index.manifests[0]?.digest ?? "");
  });

  test("a root file system is one layer, stored as it came", async () => {
    const { inspected, caller, images } = await expectImported(
      ["docker.io/library/root:1"],
      at(`rootfs.tar${packing}`),
      "root:1",
    );
    const file = readFileSync(at(`rootfs.tar${packing}`));
    expect(inspected.layers).toMatchObject([{ digest: sha256(file), diff_id: sha256(readFileSync(at("rootfs.tar"))) }]);
    expect(inspected.config).toMatchObject({ cmd: [], env: [], working_dir: null });
    // The same file is the same image, wherever and whenever.
    const again = await caller.image("import", "--json", at(`rootfs.tar${packing}`), "root:2");
    expect(JSON.parse(again.stdout).images[0].digest).toBe(images[0]?.digest);
  });

  test("all of them come through a pipe, too", async () => {
    for (const name of ["docker", "oci", "rootfs"]) {
      const caller = imageCaller();
      const stdin = openSync(at(`${name}.tar${packing}`), "r");
      const piped = await rauha(["image", "import", "-", "piped:1"], { env: caller.env, stdin });
      expect([piped.exitCode, piped.stderr]).toEqual([0, ""]);
      const cat = Bun.spawn(["cat", at(`${name}.tar${packing}`)], { stdout: "pipe" });
      const bytes = new Uint8Array(await cat.stdout.bytes());
      const fed = await rauha(["image", "import", "-", "piped:2"], { env: caller.env, stdin: bytes });
      expect([fed.exitCode, fed.stderr]).toEqual([0, ""]);
      expect(expectConsistent(caller.root).references).toEqual([
        "docker.io/library/piped:1",
        "docker.io/library/piped:2",
      ]);
      expect(leftovers(caller.root)).toEqual([]);
    }
  });
});

test.each(["gzip", "zstd"])("a large archive packed with %s is read in many pieces, without a word", async (packer) => {
  const root = makeFolder("large");
  writeFileSync(join(root, "noise"), crypto.getRandomValues(new Uint8Array(65536)));
  for (let times = 0; times < 9; times++)
    await tool(["sh", "-c", "cat noise noise > more && mv more noise"], { cwd: root });
  const file = join(makeFolder("packed"), "large.tar");
  await tool(["tar", "-C", root, "-cf", file, "noise"]);
  const layer = sha256(readFileSync(file));
  await tool([packer, "-q", "-1", file]);
  const packed = `${file}.${packer === "gzip" ? "gz" : "zst"}`;
  const { inspected } = await expectImported(["docker.io/library/large:latest"], packed, "large");
  expect(inspected.layers).toMatchObject([{ diff_id: layer }]);
});

describe("layouts", () => {
  test("a directory with many images gives all of them, an index the one for this machine", async () => {
    const names = ["busybox", "layered", "zstd", "plain", "multi"].map((name) => `docker.io/library/${name}:latest`);
    const { caller } = await expectImported(names, layout);
    const list = JSON.parse((await caller.image("ls", "--json")).stdout) as { images: { platform: string }[] };
    expect(new Set(list.images.map(({ platform }) => platform))).toEqual(new Set(["linux/amd64"]));
  });

  test("of many, the one that has the name; of an index, the one for the platform", async () => {
    await expectImported(["docker.io/library/zstd:latest"], layout, "zstd");
    const caller = imageCaller();
    const arm = await caller.image("import", "--json", "--platform", "linux/arm64", layout, "multi");
    expect(JSON.parse(arm.stdout).images).toMatchObject([{ platform: "linux/arm64" }]);
  });

  test("that are damaged are refused", async () => {
    const broken = makeFolder("broken");
    cpSync(layout, broken, { recursive: true });
    const index = JSON.parse(readFileSync(join(broken, "index.json"), "utf8")) as { manifests: { digest: string }[] };
    const manifest = join(broken, "blobs", index.manifests[0]?.digest.replace(":", "/") ?? "");
    const layer = JSON.parse(readFileSync(manifest, "utf8")).layers[0].digest as string;
    const path = join(broken, "blobs", layer.replace(":", "/"));
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await expectRefused("digest_mismatch", broken, "busybox");
    writeFileSync(manifest, "{}");
    await expectRefused("digest_mismatch", broken, "busybox");
  });
});

test("an archive made by a newer docker, with links and folders", async () => {
  // Older ones name a layer twice, by a link; the layer stands once.
  const made = makeFolder("docker");
  const layer = readFileSync(at("rootfs.tar"));
  const id = "ab".repeat(32);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [sha256(layer), sha256(layer)] },
  });
  const name = `${sha256(Buffer.from(config)).slice(7)}.json`;
  writeFiles(made, {
    [name]: config,
    [`${id}/VERSION`]: "1.0",
    "manifest.json": JSON.stringify([
      { Config: name, RepoTags: ["twice:1", "twice:2"], Layers: [`${id}/layer.tar`, `${"cd".repeat(32)}/layer.tar`] },
    ]),
    repositories: "{}",
  });
  copyFileSync(at("rootfs.tar"), join(made, id, "layer.tar"));
  writeFiles(made, { [`${"cd".repeat(32)}/VERSION`]: "1.0" });
  symlinkSync(`../${id}/layer.tar`, join(made, `${"cd".repeat(32)}/layer.tar`));
  await tool(["tar", "-C", made, "-cf", at("linked.tar"), "."]);
  const { inspected } = await expectImported(
    ["docker.io/library/twice:1", "docker.io/library/twice:2"],
    at("linked.tar"),
  );
  expect(inspected.layers).toHaveLength(2);
});

test("a root file system without an entry for its root", () =>
  expectImported(["docker.io/library/bare:latest"], at("bare.tar"), "bare"));

describe("what can't be an image is refused in words", () => {
  test("files that are no archives, or cut ones", async () => {
    await expectRefused("invalid_image", "/etc/passwd", "x");
    writeFileSync(at("empty"), "");
    await expectRefused("invalid_image", at("empty"), "x");
    for (const name of ["docker.tar", "docker.tar.gz", "docker.tar.zst", "oci.tar", "rootfs.tar.gz"]) {
      const bytes = readFileSync(at(name));
      writeFileSync(at("cut"), bytes.subarray(0, bytes.length - Math.min(20_000, bytes.length >> 1)));
      await expectRefused("invalid_image", at("cut"), "x");
    }
  });

  test("other packings, with the way out", async () => {
    await tool(["xz", "-k", at("rootfs.tar")]);
    expect(await expectRefused("unsupported", at("rootfs.tar.xz"), "x")).toContain(
      "xz -dc FILE | rauha image import -",
    );
  });

  test("files and directories that aren't there, or hold nothing", async () => {
    await expectRefused("not_found", at("nowhere.tar"), "x");
    expect(await expectRefused("invalid_image", at("rootfs"), "x")).toContain("tar -C DIR -c .");
  });

  test("names that are missing, wrong, or too few", async () => {
    expect(await expectRefused("usage", at("rootfs.tar"))).toContain("REF");
    await expectRefused("invalid_argument", at("nameless.tar"));
    await expectRefused("invalid_argument", at("rootfs.tar"), "No Name");
    await expectRefused("invalid_argument", at("rootfs.tar"), `x@sha256:${"0".repeat(64)}`);
  });

  test.each<[string, unknown, string]>([
    ["names no image", [], "invalid_image"],
    ["is no list", {}, "invalid_image"],
    [
      "names a configuration outside",
      [{ Config: "../../../etc/passwd", RepoTags: ["x:1"], Layers: [] }],
      "invalid_image",
    ],
    [
      "names a layer that isn't there",
      [{ Config: "CONFIG", RepoTags: ["x:1"], Layers: ["nowhere/layer.tar"] }],
      "invalid_image",
    ],
    ["has fewer layers than the configuration", [{ Config: "CONFIG", RepoTags: ["x:1"], Layers: [] }], "invalid_image"],
    ["has a tag that is none", [{ Config: "CONFIG", RepoTags: ["X Y"], Layers: ["LAYER"] }], "invalid_argument"],
    ["has a layer with other bytes", [{ Config: "CONFIG", RepoTags: ["x:1"], Layers: ["OTHER"] }], "digest_mismatch"],
  ])("a manifest.json that %s", async (_, manifest, code) => {
    const made = makeFolder("hostile");
    const layer = readFileSync(at("rootfs.tar"));
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [sha256(layer)] },
    });
    const names = { CONFIG: `${"a".repeat(64)}.json`, LAYER: `${"b".repeat(64)}.tar`, OTHER: `${"c".repeat(64)}.tar` };
    const text = JSON.stringify(manifest).replace(/CONFIG|LAYER|OTHER/g, (word) => names[word as keyof typeof names]);
    writeFiles(made, { "manifest.json": text, [names.CONFIG]: config, [names.OTHER]: "other bytes" });
    copyFileSync(at("rootfs.tar"), join(made, names.LAYER));
    await tool(["tar", "-C", made, "-cf", at("hostile.tar"), "."]);
    await expectRefused(code, at("hostile.tar"));
  });
});

test("a killed import leaves no half of anything that the next command doesn't sweep", async () => {
  const caller = imageCaller();
  for (let round = 0; round < 10; round++) {
    const child = caller.begin("import", at("docker.tar.zst"));
    await Bun.sleep(round * 8);
    child.kill("SIGKILL");
    await child.exited;
    expectConsistent(caller.root);
  }
  expect((await caller.image("import", at("docker.tar.zst"))).exitCode).toBe(0);
  expect((await caller.image("prune")).exitCode).toBe(0);
  expect(leftovers(caller.root)).toEqual([]);
  expect(expectConsistent(caller.root).references).toEqual(["example.test/tools/box:7"]);
});
