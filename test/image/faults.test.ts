/** Registries that fail: what passes by itself is tried again, what does not is refused with its own code. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { doubleImage, ociManifest } from "../support/double-registry.ts";
import { double, expectPulled, expectRefused, isLayer, layerBytes, quick, stopRegistries } from "./faulty-registry.ts";
import { expectConsistent, imageCaller, leftovers } from "./store.ts";

stopRegistries();

describe("what passes by itself is tried again", () => {
  test("a layer that breaks off goes on where it was", async () => {
    const server = double(({ path }, count, sound) =>
      isLayer(path, server.image) && count < 3 ? { ...sound, bytes: 100_000, hangUpMs: 500 } : undefined,
    );
    const events = await expectPulled(server);
    const ranges = server.requests
      .filter(({ path }) => isLayer(path, server.image))
      .map(({ headers }) => headers["range"]);
    expect(ranges).toEqual([undefined, "bytes=100000-", "bytes=200000-"]);
    expect(events.filter(({ event }) => event === "retry")).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({
      downloaded_bytes: 300_000 + (server.image.blobs.get(server.image.config)?.length ?? 0),
    });
  });

  test("where the server knows no ranges, from the start", async () => {
    const server = double(({ path }, count) =>
      isLayer(path, server.image)
        ? { body: layerBytes(server.image), ...(count < 3 ? { bytes: 100_000 } : {}) }
        : undefined,
    );
    await expectPulled(server);
  });

  test("a server that sends another range than was asked for is not believed", async () => {
    const server = double(({ path, headers }, count, sound) => {
      if (!isLayer(path, server.image)) return undefined;
      if (count === 1) return { ...sound, bytes: 1000 };
      const wrong = {
        status: 206,
        headers: { "content-range": "bytes 5-299999/300000" },
        body: layerBytes(server.image).subarray(5),
      };
      return headers["range"] === undefined ? undefined : wrong;
    });
    await expectPulled(server);
  });

  test("a server that has less than came before is asked from the start", async () => {
    const server = double(({ path, headers }, count, sound) => {
      if (!isLayer(path, server.image)) return undefined;
      if (count === 1) return { ...sound, bytes: 1000 };
      return headers["range"] === undefined ? undefined : { status: 416 };
    });
    await expectPulled(server);
  });

  test("one that stalls in the middle of a layer", async () => {
    const server = double(({ path }, count, sound) =>
      isLayer(path, server.image) && count === 1 ? { ...sound, bytes: 50_000, after: "stall" } : undefined,
    );
    await expectPulled(server);
    expect(server.requests.filter(({ path }) => isLayer(path, server.image))).toHaveLength(2);
  });

  test.each([500, 502, 503, 408])("status %d, for the manifest and for a layer", async (status) => {
    const server = double(({ path, method }, count) =>
      method === "GET" && path !== "/v2/" && count === 1 ? { status, body: "<html>" } : undefined,
    );
    await expectPulled(server);
  });

  test("429, after the time that the registry asks for", async () => {
    const times: number[] = [];
    const server = double(({ path }, count) => {
      if (!path.includes("/manifests/")) return undefined;
      times.push(performance.now());
      return count === 1 ? { status: 429, headers: { "retry-after": 1 } } : undefined;
    });
    await expectPulled(server);
    expect(Number(times[1]) - Number(times[0])).toBeGreaterThanOrEqual(990);
  });

  test("bytes that are not what they should be are fetched once more", async () => {
    const server = double(({ path }, count, sound) =>
      isLayer(path, server.image) && count === 1 ? { ...sound, body: Buffer.alloc(300_000) } : undefined,
    );
    const events = await expectPulled(server);
    expect(events.filter(({ event }) => event === "retry")).toHaveLength(1);
  });
});

describe("what doesn't pass is refused, each with its own code", () => {
  test("a layer that is always too short", async () => {
    const server = double(({ path }) => (isLayer(path, server.image) ? { body: "short" } : undefined));
    const { stderr } = await expectRefused(server, "registry_error", "retries = 1\n");
    expect(stderr).toContain("of 300000 bytes");
  });

  test("a layer that always breaks off", async () => {
    const server = double(({ path }, _, sound) => (isLayer(path, server.image) ? { ...sound, bytes: 0 } : undefined));
    await expectRefused(server, "unreachable", "retries = 1\n");
  });

  test("a registry that says nothing", async () => {
    const server = double(({ path }, _, sound) =>
      path.includes("/manifests/") ? { ...sound, bytes: 10, after: "stall" } : undefined,
    );
    const { stderr } = await expectRefused(server, "unreachable", 'timeout = "300ms"\nretries = 1\n');
    expect(stderr).toContain("sent nothing for 0.3 seconds");
  });

  test.each<[number, string]>([
    [401, "unauthorized"],
    [403, "unauthorized"],
    [404, "not_found"],
    [418, "registry_error"],
    [429, "rate_limited"],
    [500, "registry_error"],
  ])("status %d is %s", async (status, code) => {
    const body = '{"errors":[{"code":"WHY","message":"because \\u001b[31m of reasons"}]}';
    const server = double(({ path }) => (path.includes("/manifests/") ? { status, body } : undefined));
    const { stderr } = await expectRefused(server, code, "retries = 1\n");
    expect(stderr).toContain(`HTTP ${status}: WHY, because`);
    expect(stderr).toContain("hint: ");
    expect(stderr).not.toContain("\u001b");
  });

  test("429 that asks for more patience than we have", async () => {
    const server = double(({ path }) =>
      path.includes("/manifests/") ? { status: 429, headers: { "retry-after": 3600 } } : undefined,
    );
    const { stderr } = await expectRefused(server, "rate_limited");
    expect(stderr).toContain("3600 seconds");
    expect(server.requests.filter(({ path }) => path.includes("/manifests/"))).toHaveLength(1);
  });

  test("nobody there", async () => {
    const server = double();
    server.stop();
    const { stderr } = await expectRefused(server, "unreachable");
    expect(stderr).toContain("nothing listens there");
  });

  test("a layer whose bytes are never what they should be", async () => {
    const server = double(({ path }, _, sound) =>
      isLayer(path, server.image) ? { ...sound, body: Buffer.alloc(300_000, 7) } : undefined,
    );
    const { caller } = await expectRefused(server, "digest_mismatch");
    expect(expectConsistent(caller.root).blobs).not.toContain(server.image.layer);
  });

  test("a layer that is longer than it should be", async () => {
    const server = double(({ path }, _, sound) =>
      isLayer(path, server.image)
        ? { ...sound, body: Buffer.concat([layerBytes(server.image), Buffer.from("more")]) }
        : undefined,
    );
    await expectRefused(server, "digest_mismatch");
  });

  test("a configuration with other bytes", async () => {
    const server = double(({ path }, _, sound) =>
      path.endsWith(server.image.config) ? { ...sound, body: "{}" } : undefined,
    );
    await expectRefused(server, "registry_error", "retries = 0\n");
  });

  test("a manifest that is not what its header says", async () => {
    const headers = { "content-type": ociManifest, "docker-content-digest": `sha256:${"0".repeat(64)}` };
    await expectRefused(
      double(({ path }, _, sound) => (path.includes("/manifests/") ? { ...sound, headers } : undefined)),
      "digest_mismatch",
    );
  });

  test("a manifest that is not what was asked for by its digest", async () => {
    const server = double();
    const other = doubleImage(10);
    const reference = `${server.host}/double@${other.digest}`;
    await expectRefused({ reference }, "digest_mismatch");
  });

  test("a layer that is gone", async () => {
    const server = double(({ path }) => (isLayer(path, server.image) ? { status: 404 } : undefined));
    await expectRefused(server, "not_found");
  });
});

test("a registry that knows no HEAD is asked for the manifest itself", async () => {
  for (const status of [404, 405, 400]) {
    const server = double(({ method }) => (method === "HEAD" ? { status } : undefined));
    const caller = imageCaller({ toml: quick });
    await caller.image("pull", server.reference);
    const { ended, events } = await caller.lines("pull", server.reference);
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    expect(events.at(-1)).toMatchObject({ event: "done", downloaded_bytes: 0 });
    expect(server.requests.filter(({ path }) => isLayer(path, server.image))).toHaveLength(1);
  }
});

test("layers with sha512 digests are verified like others", async () => {
  const sound = doubleImage();
  const layer = layerBytes(sound);
  const digest = `sha512:${new Bun.CryptoHasher("sha512").update(layer).digest("hex")}`;
  const image = doubleImage(300_000, (manifest) => ({ ...manifest, layers: [{ ...manifest.layers[0], digest }] }));
  const serve = (bytes: Uint8Array) =>
    double(({ path }) => (path.endsWith(digest) ? { body: bytes } : undefined), image);
  await expectPulled(serve(layer));
  await expectRefused(serve(Buffer.alloc(layer.length)), "digest_mismatch");
});

test("what a failed pull brought is taken up by the next", async () => {
  const image = doubleImage();
  const broken = double(
    ({ path }, count, sound) =>
      isLayer(path, image)
        ? { ...sound, ...(count > 1 ? { status: 404 } : { bytes: 120_000, hangUpMs: 500 }) }
        : undefined,
    image,
  );
  const caller = imageCaller({ toml: quick });
  expect((await caller.image("pull", broken.reference)).exitCode).toBe(125);
  const half = readFileSync(join(caller.root, "work/blobs", `${image.layer.replace(":", "-")}.partial`));
  expect(half.length).toBe(120_000);
  const sound = double(undefined, image);
  expect((await caller.image("pull", sound.reference)).exitCode).toBe(0);
  expect(sound.requests.find(({ path }) => isLayer(path, image))?.headers["range"]).toBe("bytes=120000-");
  expect(leftovers(caller.root)).toEqual([]);
});
