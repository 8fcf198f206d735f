/** A caller behind an HTTP proxy: zones go by it, and know nothing of it. */
import { expect, test } from "bun:test";
import { worldForTests } from "./world.ts";

const world = await worldForTests();
const good = ["--allow-domain", "*.good.example", "--ro-bind", `${world.authority}:/ca.pem`];
const curl = ["curl", "-sS", "--cacert", "/ca.pem"];

test("HTTPS, HTTP and a server that speaks first go through the proxy, by name", async () => {
  await world.forget();
  const env = { HTTPS_PROXY: "http://user:secret@203.0.113.30:3128", http_proxy: "203.0.113.30:3128" };
  const script = `curl -sS --cacert /ca.pem https://www.good.example/ http://www.good.example/
exec 3<>/dev/tcp/ssh.good.example/22; read -r line <&3; echo "$line"; env | grep -ci proxy`;
  const run = await world.sandbox(good, ["bash", "-c", script], { env });
  expect(run.result.stdout).toBe("hello from www.good.example\nhello from www.good.example\nSSH-2.0-world\r\n0\n");
  const { seen, asked } = await world.seen();
  expect(seen.filter((line) => line.startsWith("proxy "))).toEqual([
    `proxy www.good.example:443 Basic ${btoa("user:secret")}`,
    "proxy www.good.example:80 -",
    `proxy ssh.good.example:22 Basic ${btoa("user:secret")}`,
  ]);
  expect(asked).toEqual([]);
  expect(run.stdout).not.toContain(btoa("user:secret"));
  const allowed = run.result.events.find((event) => event["event.name"] === "rauha.network.egress.allowed");
  expect(allowed).toMatchObject({
    "network.name": "www.good.example",
    why: expect.stringContaining("by the caller's proxy"),
  });
});

test("what is not allowed does not reach the proxy", async () => {
  await world.forget();
  const env = { ALL_PROXY: "http://203.0.113.30:3128" };
  const script =
    "curl -sS http://evil.example/; curl -sS http://203.0.113.66/; curl -sS -H 'Host: evil.example' http://www.good.example/";
  const run = await world.sandbox(good, ["bash", "-c", script], { env });
  expect(run.result.stdout).toBe("");
  expect(run.result.enforcement_events.length).toBeGreaterThan(2);
  const { seen } = await world.seen();
  expect(seen.filter((line) => line.includes("evil") || line.includes("203.0.113.66"))).toEqual([]);
});

test("a proxy that refuses is an error, and told", async () => {
  const env = { ALL_PROXY: "http://203.0.113.30:3128" };
  const run = await world.sandbox(good, [...curl, "https://four.good.example/"], { env });
  expect(run.exitCode).not.toBe(0);
  const allowed = run.result.events.find((event) => event["event.name"] === "rauha.network.egress.allowed");
  expect(allowed).toMatchObject({
    why: expect.stringContaining("the proxy answers 403"),
    "error.kind": "ECONNREFUSED",
  });
});

test("a proxy of another kind is refused before anything runs", async () => {
  const run = await world.sandbox(good, ["true"], { env: { ALL_PROXY: "socks5://127.0.0.1:1080" } });
  expect(run.exitCode).toBe(125);
  expect(run.result.error).toMatchObject({ code: "unsupported" });
  expect(run.result.error?.message).toContain("ALL_PROXY");
});
