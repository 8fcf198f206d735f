/** Registries that lie about what an image is, or try to get what isn't theirs. */
import { describe, expect, test } from "bun:test";
import { doubleImage, type Fault, ociManifest } from "../support/double-registry.ts";
import { double, expectRefused, isLayer, layerBytes, quick, raw, stopRegistries } from "./faulty-registry.ts";
import { imageCaller } from "./store.ts";

stopRegistries();

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
