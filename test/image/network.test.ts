/** Ways to a registry: TLS, proxies, mirrors, and what is insecure. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { doubleImage, startDouble } from "../support/double-registry.ts";
import { patient } from "../support/identity.ts";
import { startRawServer } from "../support/raw-server.ts";
import { makeCertificate } from "../support/token-server.ts";
import { codeOf, imageCaller } from "./store.ts";

const image = doubleImage(50_000);
const plain = startDouble(image);
const port = (host: string) => host.split(":")[1];
let tls: { readonly port: number; readonly cert: string; readonly seen: string[]; stop(): void };

beforeAll(async () => {
  const { key, cert } = await makeCertificate();
  const seen: string[] = [];
  // TLS in front of the double: what it is asked for, it asks there.
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { key: readFileSync(key), cert: readFileSync(cert) },
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      seen.push(pathname);
      if (pathname.startsWith("/v2/downgrade/"))
        return Response.redirect(`http://${plain.host}/v2/double/manifests/1`, 307);
      const headers = request.headers.has("range") ? { range: request.headers.get("range") ?? "" } : {};
      return fetch(`http://${plain.host}${pathname}`, { method: request.method, headers });
    },
  });
  tls = { port: Number(server.port), cert, seen, stop: () => void server.stop(true) };
}, patient(30_000));

afterAll(() => {
  plain.stop();
  tls.stop();
});

describe("TLS", () => {
  // What is on the loopback is trusted by default; these settings say that this one is not.
  const secured = (more = "") => `retries = 0\n[registry."localhost:${tls.port}"]\ninsecure = false\n${more}`;
  const ref = () => `localhost:${tls.port}/double:1`;

  test("with a certificate that nobody signed is refused", async () => {
    const { ended, events } = await imageCaller({ toml: secured() }).lines("pull", ref());
    expect([codeOf(events), ended.exitCode]).toEqual(["tls_failed", 125]);
    expect(ended.stderr).toContain(`[registry."localhost:${tls.port}"] ca = "FILE"`);
    expect(tls.seen).toEqual([]);
  });

  test("with one that the settings name, or SSL_CERT_FILE, is taken", async () => {
    expect((await imageCaller({ toml: secured(`ca = "${tls.cert}"`) }).image("pull", ref())).exitCode).toBe(0);
    expect(
      (await imageCaller({ toml: secured(), env: { SSL_CERT_FILE: tls.cert } }).image("pull", ref())).exitCode,
    ).toBe(0);
  });

  test("is preferred where plain HTTP would do", async () => {
    tls.seen.splice(0);
    expect((await imageCaller().image("pull", ref())).exitCode).toBe(0);
    expect(tls.seen.length).toBeGreaterThan(2);
  });

  test("is what a registry gets that isn't insecure, even if it speaks plain HTTP", async () => {
    const toml = `retries = 0\n[registry."localhost:${port(plain.host)}"]\ninsecure = false\n`;
    const before = plain.requests.length;
    const { ended, events } = await imageCaller({ toml }).lines("pull", `localhost:${port(plain.host)}/double:1`);
    expect([codeOf(events), ended.exitCode]).toEqual(["tls_failed", 125]);
    expect(ended.stderr).toContain("insecure = true");
    expect(plain.requests.length).toBe(before);
  });

  test("a redirect from it to plain HTTP is not followed", async () => {
    const before = plain.requests.length;
    const toml = secured(`ca = "${tls.cert}"`);
    const { ended, events } = await imageCaller({ toml }).lines("pull", `localhost:${tls.port}/downgrade:1`);
    expect(codeOf(events)).toBe("registry_error");
    expect(ended.stderr).toContain("plain HTTP");
    expect(plain.requests.length).toBe(before);
  });

  test("a file of certificates that isn't there is an error, not less trust", async () => {
    const { events } = await imageCaller({ toml: secured('ca = "/nowhere.pem"') }).lines("pull", ref());
    expect(codeOf(events)).toBe("not_found");
  });
});

describe("proxies", () => {
  /** A proxy that answers for every host, as the double would. */
  const proxy = startRawServer(async ({ method, path, headers }) => {
    if (method === "CONNECT") return { status: 403 };
    const { pathname } = new URL(path);
    const answer = await fetch(`http://${plain.host}${pathname}`, {
      method,
      headers: { range: headers["range"] ?? "" },
    });
    return {
      status: answer.status,
      headers: Object.fromEntries([...answer.headers].filter(([name]) => /^(content-type|docker-)/.test(name))),
      body: new Uint8Array(await answer.arrayBuffer()),
    };
  });
  afterAll(() => proxy.stop());
  const toml = 'retries = 0\ntimeout = "5s"\n[registry."registry.invalid"]\ninsecure = true\n';

  test("carry plain HTTP", async () => {
    const env = { http_proxy: `http://${proxy.host}` };
    const { ended } = await imageCaller({ toml, env }).lines("pull", "registry.invalid/double:1");
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    expect(
      proxy.requests.some(({ path }) => path.startsWith("http://registry.invalid/v2/double/manifests/")),
    ).toBeTrue();
  });

  test("are asked for a tunnel by TLS, and their no is an error", async () => {
    const env = { HTTPS_PROXY: `http://${proxy.host}` };
    const before = proxy.requests.length;
    const { ended } = await imageCaller({ toml: "retries = 0", env }).lines("pull", "secure.invalid/double:1");
    expect(ended.exitCode).toBe(125);
    expect(proxy.requests.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
      "CONNECT secure.invalid:443",
    ]);
  });

  test("are left out for NO_PROXY, and for this machine", async () => {
    const before = proxy.requests.length;
    const env = { http_proxy: `http://${proxy.host}`, HTTP_PROXY: `http://${proxy.host}`, NO_PROXY: ".invalid" };
    const { events } = await imageCaller({ toml, env }).lines("pull", "registry.invalid/double:1");
    expect(codeOf(events)).toBe("unreachable");
    expect((await imageCaller({ env }).image("pull", plain.reference)).exitCode).toBe(0);
    expect(proxy.requests.length).toBe(before);
  });
});

describe("mirrors", () => {
  const mirrored = (mirror: string, more = "") =>
    `retries = 1\n[registry."registry.invalid"]\nmirrors = ["${mirror}"]\n${more}`;

  test("are asked first, and keep the name", async () => {
    const caller = imageCaller({ toml: mirrored(plain.host) });
    const { ended } = await caller.lines("pull", "registry.invalid/double:1");
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    expect((await caller.image("inspect", "registry.invalid/double:1")).exitCode).toBe(0);
  });

  test("may have a prefix, and get none of the registry's credentials", async () => {
    const prefixed = startRawServer(({ path }) => {
      const name = path.replace("/v2/cache/double/", "");
      if (path === "/v2/") return { body: "{}" };
      if (name.startsWith("manifests/"))
        return { headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" }, body: image.manifest };
      const blob = image.blobs.get(name.replace("blobs/", ""));
      return blob === undefined ? { status: 404 } : { body: blob };
    });
    const home = {
      ".docker/config.json": JSON.stringify({ auths: { "registry.invalid": { auth: "dXNlcjpzZWNyZXQ=" } } }),
    };
    const caller = imageCaller({ toml: mirrored(`${prefixed.host}/cache`), home });
    expect((await caller.image("pull", "registry.invalid/double:1")).exitCode).toBe(0);
    expect(prefixed.requests.some(({ headers }) => headers["authorization"] !== undefined)).toBeFalse();
    prefixed.stop();
  });

  test("that fail are passed over, in words", async () => {
    const dead = startRawServer(() => ({ status: 500 }));
    const toml = `retries = 0\n[registry."${plain.host}"]\ninsecure = true\nmirrors = ["${dead.host}", "127.0.0.1:1"]\n`;
    const { ended, events } = await imageCaller({ toml }).lines("pull", plain.reference);
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    const said = events.filter(({ event }) => event === "retry").map(({ what }) => what);
    expect(said).toContain(`the mirror ${dead.host}`);
    expect(said).toContain("the mirror 127.0.0.1:1");
    dead.stop();
  });

  test("that lie about a layer are passed over, too", async () => {
    const liar = startDouble(image, ({ path }) => (path.endsWith(image.layer) ? { body: "lies" } : undefined));
    const toml = `retries = 0\n[registry."${plain.host}"]\ninsecure = true\nmirrors = ["${liar.host}"]\n`;
    const { ended } = await imageCaller({ toml }).lines("pull", plain.reference);
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    liar.stop();
  });
});

test("settings with mistakes are refused before anything is asked, all mistakes at once", async () => {
  const toml = 'retrys = 1\ntimeout = "soon"\n';
  const { ended, events } = await imageCaller({ toml }).lines("pull", plain.reference);
  expect([codeOf(events), ended.exitCode]).toEqual(["invalid_config", 125]);
  expect(ended.stderr).toContain("registries.toml:1:1 retrys");
  expect(ended.stderr).toContain("did you mean retries?");
  expect(ended.stderr).toContain("registries.toml:2:1 timeout");
});
