/** Registries that fail, lie, or try to get what isn't theirs. */
import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DoubleImage, doubleImage, type Fault, ociManifest, startDouble } from "../support/double-registry.ts";
import { type RawServer, startRawServer } from "../support/raw-server.ts";
import { codeOf, expectConsistent, imageCaller, leftovers } from "./store.ts";

const servers: { stop(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

function double(fault?: Fault, image: DoubleImage = doubleImage()) {
  const server = startDouble(image, fault);
  servers.push(server);
  return server;
}

function raw(answer: Parameters<typeof startRawServer>[0]): RawServer {
  const server = startRawServer(answer);
  servers.push(server);
  return server;
}

const isLayer = (path: string, { layer }: DoubleImage) => path.endsWith(layer);
const layerBytes = (image: DoubleImage) => image.blobs.get(image.layer) ?? new Uint8Array();
const quick = 'timeout = "1s"\nretries = 3\n';

/** Pulls, and expects the image to be there, whole. */
async function expectPulled(server: ReturnType<typeof double>, toml = quick) {
  const caller = imageCaller({ toml });
  const { ended, events } = await caller.lines("pull", server.reference);
  expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
  expect(events.at(-1)).toMatchObject({ event: "done", digest: server.image.digest });
  expect(expectConsistent(caller.root).references).toEqual([server.reference]);
  expect(leftovers(caller.root)).toEqual([]);
  return events;
}

/** Pulls, and expects it to be refused with a code and no image, not even part of its name, in the store. */
async function expectRefused(
  server: { readonly reference: string },
  code: string,
  toml = quick,
  home: Record<string, string> = {},
) {
  const caller = imageCaller({ toml, home });
  const { ended, events } = await caller.lines("pull", server.reference);
  expect([codeOf(events), ended.exitCode]).toEqual([code, 125]);
  expect(events.at(-1)).toMatchObject({ event: "failed" });
  expect(ended.stderr).toContain("rauha: ");
  expect(expectConsistent(caller.root).references).toEqual([]);
  return { caller, events, stderr: ended.stderr };
}

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

describe("hostile manifests are refused before a layer is asked for", () => {
  const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: `sha256:${"1".repeat(64)}`, size: 1 };
  test.each<[string, Parameters<typeof doubleImage>[1], string]>([
    ["a negative size", (m) => ({ ...m, layers: [{ ...m.layers[0], size: -1 }] }), "size"],
    ["a layer of another kind", (m) => ({ ...m, layers: [{ ...m.layers[0], mediaType: "text/html" }] }), "mediaType"],
    ["thousands of layers", (m) => ({ ...m, layers: Array.from({ length: 3000 }, () => layer) }), "at most 500"],
    ["another digest algorithm", (m) => ({ ...m, layers: [{ ...layer, digest: `md5:${"1".repeat(32)}` }] }), "digest"],
    [
      "a digest that leads out of the store",
      (m) => ({ ...m, layers: [{ ...layer, digest: "sha256:../../../etc/passwd" }] }),
      "digest",
    ],
    ["more layers than its configuration has", (m) => ({ ...m, layers: [...m.layers, layer] }), "2 layers"],
    ["a huge configuration", (m) => ({ ...m, config: { ...m.config, size: 5 << 20 } }), "4 MiB"],
    ["two kinds at once", (m) => ({ ...m, manifests: [] }), "both"],
    ["the old version", (m) => ({ ...m, schemaVersion: 1 }), "old format"],
  ])("%s", async (_, change, words) => {
    const server = double(undefined, doubleImage(1000, change));
    const { stderr } = await expectRefused(server, "invalid_image");
    expect(stderr).toContain(words);
    expect(server.requests.filter(({ path }) => isLayer(path, server.image))).toEqual([]);
  });

  test("of more than 4 MiB", async () => {
    const body = `{"schemaVersion":2,"x":"${"y".repeat(5 << 20)}"}`;
    const server = double(({ path }) =>
      path.includes("/manifests/") ? { body, headers: { "content-type": ociManifest } } : undefined,
    );
    await expectRefused(server, "registry_error");
  });

  test("that is a page of some portal", async () => {
    const server = double(({ path }) =>
      path.includes("/manifests/") ? { body: "<html>log in", headers: { "content-type": "text/html" } } : undefined,
    );
    await expectRefused(server, "invalid_image");
  });
});

describe("credentials stay where they belong", () => {
  const login = Buffer.from("user:secret").toString("base64");
  const home = (host: string) => ({ ".docker/config.json": JSON.stringify({ auths: { [host]: { auth: login } } }) });
  const wantsBasic: Fault = ({ headers, path }) =>
    headers["authorization"] === undefined && path !== "/v2/"
      ? { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }
      : undefined;

  test("a redirect to another port is followed without them", async () => {
    const image = doubleImage();
    const elsewhere = double(undefined, image);
    const server = double((request, count, sound) => {
      const refused = wantsBasic(request, count, sound);
      if (refused !== undefined) return refused;
      return isLayer(request.path, image)
        ? { status: 307, headers: { location: `http://${elsewhere.host}${request.path}` } }
        : undefined;
    }, image);
    const caller = imageCaller({ toml: quick, home: home(server.host) });
    const { ended } = await caller.lines("pull", server.reference);
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    const seen = elsewhere.requests.filter(({ path }) => isLayer(path, image));
    expect(seen).toHaveLength(1);
    expect(seen[0]?.headers["authorization"]).toBeUndefined();
    const own = server.requests.filter(({ path }) => isLayer(path, image));
    expect(own.at(-1)?.headers["authorization"]).toBe(`Basic ${login}`);
  });

  test("a redirect on the same port is followed with them", async () => {
    const server = double((request, count, sound) => {
      const moved = request.path.startsWith("/moved");
      const refused = wantsBasic(request, count, sound);
      if (refused !== undefined) return refused;
      if (moved) return { body: layerBytes(server.image) };
      return isLayer(request.path, server.image) ? { status: 302, headers: { location: "/moved" } } : undefined;
    });
    const caller = imageCaller({ toml: quick, home: home(server.host) });
    expect((await caller.image("pull", server.reference)).exitCode).toBe(0);
    expect(server.requests.find(({ path }) => path === "/moved")?.headers["authorization"]).toBe(`Basic ${login}`);
  });

  test("redirects in a circle end", async () => {
    const server = double(({ path }) =>
      isLayer(path, server.image) ? { status: 302, headers: { location: path } } : undefined,
    );
    await expectRefused(server, "registry_error");
    expect(server.requests.filter(({ path }) => isLayer(path, server.image))).toHaveLength(11);
  });

  test.each(["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[broken"])(
    "a redirect to %s is refused",
    async (location) => {
      const server = double(({ path }) =>
        isLayer(path, server.image) ? { status: 302, headers: { location } } : undefined,
      );
      await expectRefused(server, "registry_error");
    },
  );

  test("a token server of another host over plain HTTP gets nothing, not even a question", async () => {
    const thief = raw(() => ({ body: '{"token":"t"}' }));
    const realm = `http://localhost:${thief.host.split(":")[1]}/token`;
    const server = double(({ headers, path }) =>
      headers["authorization"] === undefined && path !== "/v2/"
        ? { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}",service="s"` } }
        : undefined,
    );
    await expectRefused(server, "registry_error", quick, home(server.host));
    expect(thief.requests).toEqual([]);
  });

  test("credentials of one port are not another's", async () => {
    const server = double(wantsBasic);
    await expectRefused(server, "unauthorized", quick, home("127.0.0.1:1"));
    expect(server.requests.some(({ headers }) => headers["authorization"] !== undefined)).toBeFalse();
  });

  test("a token that is no header's text is refused", async () => {
    const server = double(({ headers, path }) => {
      if (path.startsWith("/token")) return { body: JSON.stringify({ token: "a\r\nx-evil: 1" }) };
      const realm = `http://${server.host}/token`;
      return headers["authorization"] === undefined && path !== "/v2/"
        ? { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}"` } }
        : undefined;
    });
    await expectRefused(server, "registry_error", quick);
  });

  test("what a failed pull prints holds no secret", async () => {
    const server = double((request) =>
      request.path === "/v2/" ? undefined : { status: 401, headers: { "www-authenticate": "Basic" } },
    );
    const { stderr, events } = await expectRefused(server, "unauthorized", quick, home(server.host));
    expect(stderr + JSON.stringify(events)).not.toMatch(/secret|dXNlcjpzZWNyZXQ/);
    expect(stderr).toContain(".docker/config.json");
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
