/** Connections of a zone whose caller has an HTTP proxy. */
import { describe, expect, test } from "bun:test";
import { writeQuery } from "../../../src/run/network/dns/query.ts";
import { connectRequest, proxyFor, readProxies, readProxyReply } from "../../../src/run/network/proxy.ts";
import { FakeGateway, parsed } from "./fake-gateway.ts";
import { helloFor } from "./hellos.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const env = { https_proxy: "http://192.0.2.80:3128" };

describe("the variables", () => {
  test.each([
    ["http://proxy.example:3128", { host: "proxy.example", port: 3128 }],
    ["http://proxy.example:3128/", { host: "proxy.example", port: 3128 }],
    ["proxy.example", { host: "proxy.example", port: 80 }],
    ["http://[2001:db8::1]:8080", { host: "2001:db8::1", port: 8080 }],
    ["http://me:p%40ss@10.0.0.1:1", { host: "10.0.0.1", port: 1, credentials: btoa("me:p@ss") }],
  ])("%s", (text, proxy) => {
    expect(readProxies({ HTTPS_PROXY: text }).proxies.https).toEqual(proxy);
  });

  test.each(["socks5://127.0.0.1:1080", "https://proxy.example:443", "http://", "http://a:99999", "http://a b"])(
    "%s is none, and is named",
    (text) => {
      expect(readProxies({ ALL_PROXY: text })).toMatchObject({ proxies: { http: undefined }, wrong: ["ALL_PROXY"] });
    },
  );

  test("each its own ports, and the one for all where there is no other", () => {
    const { proxies } = readProxies({ http_proxy: "a.example:1", ALL_PROXY: "b.example:2", no_proxy: "" });
    expect(proxyFor(proxies, "x.example", [], 80)?.host).toBe("a.example");
    expect(proxyFor(proxies, "x.example", [], 443)?.host).toBe("b.example");
    expect(proxyFor(proxies, null, [192, 0, 2, 1], 22)?.host).toBe("b.example");
  });

  test("no_proxy: names and all below, addresses, ranges", () => {
    const { proxies } = readProxies({
      ...env,
      NO_PROXY: "in.example, .dot.example,*.star.example 10.0.0.0/8,192.0.2.9,[2001:db8::]/32,port.example:22",
    });
    const direct = (name: string | null, address: string, port = 443) =>
      proxyFor(proxies, name, parsed(address), port) === undefined;
    for (const name of ["in.example", "a.in.example", "a.dot.example", "a.star.example"])
      expect({ name, direct: direct(name, "198.51.100.1") }).toEqual({ name, direct: true });
    expect(direct("notin.example", "198.51.100.1")).toBe(false);
    expect(direct("port.example", "198.51.100.1", 22)).toBe(true);
    expect(direct("port.example", "198.51.100.1", 443)).toBe(false);
    expect(direct(null, "10.1.2.3")).toBe(true);
    expect(direct(null, "192.0.2.9")).toBe(true);
    expect(direct(null, "192.0.2.10")).toBe(false);
    expect(proxyFor(readProxies({ ...env, no_proxy: "*" }).proxies, "x.example", [], 443)).toBeUndefined();
  });
});

describe("the conversation", () => {
  test("asks by name, by address where there is none, with credentials where there are some", () => {
    const text = (...args: Parameters<typeof connectRequest>) => new TextDecoder().decode(connectRequest(...args));
    expect(text({ host: "p", port: 1 }, "a.example", [], 443)).toBe(
      "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
    );
    expect(text({ host: "p", port: 1, credentials: "x" }, null, parsed("2001:db8::1"), 1)).toBe(
      "CONNECT [2001:db8::1]:1 HTTP/1.1\r\nHost: [2001:db8::1]:1\r\nProxy-Authorization: Basic x\r\n\r\n",
    );
  });

  test.each([
    ["HTTP/1.1 200 Connection established\r\n\r\n", { state: "connected", length: 39 }],
    ["HTTP/1.0 200 OK\r\nVia: x\r\n\r\nSSH-2.0", { state: "connected", length: 27 }],
    ["HTTP/1.1 20", { state: "more" }],
    ["HTTP/1.1 407 Proxy Authentication Required\r\n", { state: "refused", why: "the proxy answers 407" }],
    ["SSH-2.0-x\r\n\r\n", { state: "refused", why: "the proxy does not speak HTTP" }],
  ])("%j", (said, reply) => {
    expect(readProxyReply(bytes(said))).toEqual(reply as never);
  });

  test("ends when the proxy talks without end", () => {
    expect(readProxyReply(new Uint8Array(9000).fill(65)).state).toBe("refused");
  });
});

describe("a zone", () => {
  const established = bytes("HTTP/1.1 200 OK\r\n\r\n");

  test("gets an address that stands for the name, without any lookup, and goes by name", () => {
    const gateway = new FakeGateway({ domains: ["a.example"], env });
    gateway.receive({ record: "asked", query: 1, data: writeQuery(7, "a.example", 1) });
    expect(gateway.take()).toEqual(["answer 1"]);
    gateway.open(1, "198.18.0.0", 443);
    const order = gateway.last();
    expect(gateway.take()).toEqual(["connect 1 192.0.2.80 3128 handshake"]);
    expect(order.record === "connect" && new TextDecoder().decode(order.data)).toContain("CONNECT a.example:443 ");
    gateway.hear(1, helloFor("a.example"));
    expect(gateway.take()).toEqual([]);
    gateway.receive({ record: "heard", connection: 1, side: 1, data: established.slice(0, 9) });
    expect(gateway.take()).toEqual([]);
    gateway.receive({ record: "heard", connection: 1, side: 1, data: established.slice(9) });
    expect(gateway.last()).toEqual({ record: "pass", connection: 1, skip: established.length });
    gateway.receive({ record: "closed", connection: 1, error: 0, sent: 9, received: 9 });
    expect(gateway.attempts[0]).toMatchObject({ decision: "allow", name: "a.example", address: null });
  });

  test("is refused another server name there, whether the proxy was quicker or not", () => {
    for (const first of ["proxy", "program"]) {
      const gateway = new FakeGateway({ domains: ["a.example"], env });
      gateway.receive({ record: "asked", query: 1, data: writeQuery(7, "a.example", 1) });
      gateway.open(1, "198.18.0.0", 443);
      gateway.take();
      if (first === "proxy") gateway.receive({ record: "heard", connection: 1, side: 1, data: established });
      gateway.hear(1, helloFor("evil.example"));
      expect(gateway.take()).toEqual(["refuse 1"]);
    }
  });

  test("hears a server that speaks first through the proxy", () => {
    const gateway = new FakeGateway({ domains: ["a.example"], env });
    gateway.receive({ record: "asked", query: 1, data: writeQuery(7, "a.example", 1) });
    gateway.open(1, "198.18.0.0", 22);
    gateway.take();
    gateway.receive({ record: "heard", connection: 1, side: 1, data: established });
    expect(gateway.take()).toEqual([]);
    gateway.receive({ record: "heard", connection: 1, side: 1, data: bytes("SSH-2.0-x\r\n") });
    expect(gateway.last()).toEqual({ record: "pass", connection: 1, skip: established.length });
  });

  test("is told when the proxy refuses or is not there", () => {
    const gateway = new FakeGateway({ egress: ["203.0.113.1:443"], env });
    gateway.open(1, "203.0.113.1", 443);
    expect(gateway.take()).toEqual(["connect 1 192.0.2.80 3128 handshake"]);
    gateway.receive({ record: "heard", connection: 1, side: 1, data: bytes("HTTP/1.1 403 No\r\n\r\n") });
    expect(gateway.take()).toEqual(["refuse 1"]);
    expect(gateway.attempts[0]).toMatchObject({ error: 111, why: expect.stringContaining("the proxy answers 403") });
    gateway.open(2, "203.0.113.1", 443);
    gateway.take();
    gateway.receive({ record: "failed", connection: 2, error: 111 });
    expect(gateway.take()).toEqual(["refuse 2"]);
  });

  test("goes directly where no_proxy says so, and looks up", () => {
    const gateway = new FakeGateway({ domains: ["a.example"], env: { ...env, NO_PROXY: "a.example" } });
    gateway.receive({ record: "asked", query: 1, data: writeQuery(7, "a.example", 1) });
    expect(gateway.take()).toEqual(["ask 1 192.0.2.53"]);
  });

  test("never goes to an address that stands for a name", () => {
    const gateway = new FakeGateway({ domains: ["a.example"], env });
    gateway.receive({ record: "asked", query: 1, data: writeQuery(7, "a.example", 1) });
    gateway.take();
    // Port 80 has no proxy here: the name has to be said, and is looked up.
    gateway.open(1, "198.18.0.0", 80);
    expect(gateway.take()).toEqual([]);
    gateway.hear(1, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    gateway.resolve({ "a.example": ["198.51.100.1"] });
    expect(gateway.take().at(-1)).toBe("connect 1 198.51.100.1 80 open");
    gateway.open(2, "198.18.0.1", 443);
    expect(gateway.take()).toEqual(["refuse 2"]);
  });
});
