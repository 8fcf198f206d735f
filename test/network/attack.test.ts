/** Network mode filtered: names that must not get out, tried. Each attempt is told, and no server of the world sees it. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { attack, denials, nobodyCame } from "./attacker.ts";
import { worldForTests } from "./world.ts";

const world = await worldForTests();
const good = ["--allow-domain", "*.good.example"];

describe("names", () => {
  test("a server name that is not allowed, at an address that an allowed name led to", async () => {
    const run = await attack(
      world,
      good,
      `
socket.getaddrinfo("cdn.good.example", 443)
print(tcp("203.0.113.20", 443, record(hello("cdn.evil.example"))))
print(tcp("203.0.113.20", 80, b"GET / HTTP/1.1\\r\\nHost: cdn.evil.example\\r\\n\\r\\n"))
print(tcp("203.0.113.20", 80, b"\\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: cdn.evil.example\\r\\n\\r\\n"))
print(tcp("203.0.113.20", 80, b"GET http://cdn.evil.example/ HTTP/1.1\\r\\nHost: cdn.good.example\\r\\n\\r\\n"))
print(tcp("203.0.113.20", 80, b"GET / HTTP/1.1\\r\\nHost: cdn.good.example\\r\\nHost: cdn.evil.example\\r\\n\\r\\n"))
print(tcp("203.0.113.20", 80, b"GET / HTTP/1.1\\r\\nHost: cdn.good.example\\r\\n\\r\\n")[:15])`,
    );
    expect(run.result.stdout?.trim().split("\n")).toEqual([
      ...Array(5).fill("ConnectionResetError"),
      "open HTTP/1.1 2",
    ]);
    expect(denials(run).map(({ why }) => why)).toEqual([
      "SNI names cdn.evil.example, which no allowed domain has",
      "Host names cdn.evil.example, which no allowed domain has",
      "Host names cdn.evil.example, which no allowed domain has",
      "the HTTP request names one host in its target and another in Host",
      "the HTTP request names two hosts",
    ]);
    await nobodyCame(world, /cdn\.good\.example$/);
  });

  test("an allowed server name at somebody else's address goes to where the name leads", async () => {
    const run = await attack(
      world,
      good,
      `
print(tcp("203.0.113.66", 80, b"GET / HTTP/1.1\\r\\nHost: www.good.example\\r\\nConnection: close\\r\\n\\r\\n")[:15])`,
    );
    expect(run.result.stdout).toBe("open HTTP/1.1 2\n");
    const allowed = run.result.events.find((event) => event["event.name"] === "rauha.network.egress.allowed");
    expect(allowed).toMatchObject({ "network.name": "www.good.example", "network.address": "203.0.113.10" });
  });

  test("the raw address of a denied name", async () => {
    const run = await attack(
      world,
      good,
      `
for host in ("203.0.113.66", "2001:db8::66"):
  print(tcp(host, 7, b"data\\n"), tcp(host, 443, record(hello("evil.example"))), tcp(host, 80, b"GET / HTTP/1.0\\r\\n\\r\\n"), tcp(host, 443, record(hello())))`,
    );
    expect(run.result.stdout).toBe(`${Array(4).fill("ConnectionResetError").join(" ")}\n`.repeat(2));
    expect(denials(run)).toHaveLength(8);
    expect(denials(run).map(({ object }) => object)).toContain("evil.example ([2001:db8::66]:443)");
    await nobodyCame(world);
  });

  test("a denied domain below an allowed one", async () => {
    writeFileSync(
      `${world.folder}/p.toml`,
      'extends = "task"\n[network]\nmode = "filtered"\nallowed_domains = ["*.good.example"]\ndenied_domains = ["cdn.good.example"]\n',
    );
    const run = await attack(
      world,
      ["--policy", `${world.folder}/p.toml`],
      `
try: socket.getaddrinfo("cdn.good.example", 80)
except OSError as e: print(e.args[1])
socket.getaddrinfo("www.good.example", 80)
print(tcp("203.0.113.10", 80, b"GET / HTTP/1.1\\r\\nHost: cdn.good.example\\r\\n\\r\\n"))`,
    );
    expect(run.result.stdout).toBe("Name or service not known\nConnectionResetError\n");
    expect(denials(run).map((event) => event.policy_key)).toEqual(
      Array(denials(run).length).fill("network.denied_domains"),
    );
    await nobodyCame(world);
  });
});

describe("what is said first", () => {
  test("a server name in fragments: over packets, and over records", async () => {
    const run = await attack(
      world,
      good,
      `
socket.getaddrinfo("cdn.good.example", 443)
bad = record(hello("cdn.evil.example"))
print(tcp("203.0.113.20", 443, [bad[i:i+7] for i in range(0, len(bad), 7)]))
small = record(hello("cdn.evil.example"), 5)
print(tcp("203.0.113.20", 443, [small[i:i+11] for i in range(0, len(small), 11)]))
req = b"GET / HTTP/1.1\\r\\nHost: cdn.evil.example\\r\\n\\r\\n"
print(tcp("203.0.113.20", 80, [req[i:i+3] for i in range(0, len(req), 3)]))
ok = b"GET / HTTP/1.1\\r\\nHost: cdn.good.example\\r\\nConnection: close\\r\\n\\r\\n"
print(tcp("203.0.113.20", 80, [ok[i:i+9] for i in range(0, len(ok), 9)])[:15])`,
    );
    expect(run.result.stdout?.trim().split("\n")).toEqual([
      ...Array(3).fill("ConnectionResetError"),
      "open HTTP/1.1 2",
    ]);
    expect(denials(run)).toHaveLength(3);
    await nobodyCame(world, /cdn\.good\.example$/);
  });

  test("a ClientHello of 10 MB", async () => {
    const run = await attack(
      world,
      good,
      `
socket.getaddrinfo("www.good.example", 443)
message = b"\\x01" + struct.pack("!I", 10_000_000)[1:] + b"\\x03\\x03" + bytes(10_000_000)
print(tcp("203.0.113.10", 443, record(message)))`,
    );
    expect(run.result.stdout).toMatch(/^(ConnectionResetError|BrokenPipeError)\n$/);
    expect(denials(run)[0]?.why).toBe("the client has not named its host within 16384 bytes");
  });

  test("no server name, an encrypted one, a broken one, HTTP/2 in the clear, noise at port 443", async () => {
    const run = await attack(
      world,
      good,
      `
socket.getaddrinfo("www.good.example", 443)
print(tcp("203.0.113.10", 443, record(hello())))
print(tcp("203.0.113.10", 443, record(hello("www.good.example", struct.pack("!HH", 0xfe0d, 4) + bytes(4)))))
print(tcp("203.0.113.10", 443, record(hello("www.good.example\\0.evil.example"))))
print(tcp("203.0.113.10", 80, b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n"))
print(tcp("203.0.113.10", 443, b"\\x00\\x01\\x02 noise"))
print(tcp("203.0.113.10", 80, b"GET / HTTP/1.1\\r\\nHost: 203.0.113.10\\r\\n\\r\\n"))`,
    );
    expect(run.result.stdout).toBe("ConnectionResetError\n".repeat(6));
    expect(denials(run).map(({ why }) => why)).toEqual([
      "TLS without a server name: nothing says that it goes to an allowed domain",
      "the ClientHello is encrypted (ECH): the server's name can't be read",
      "the ClientHello is malformed: the server name is no host name",
      "the HTTP request is HTTP/2 without TLS, whose host can't be read here",
      "what is spoken at port 443 is neither TLS nor HTTP",
      "HTTP with an address as its Host: nothing says that it goes to an allowed domain",
    ]);
  });
});
