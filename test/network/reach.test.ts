/** Network mode filtered: what an allowed domain lets through, for programs that know nothing of it. */
import { describe, expect, test } from "bun:test";
import { worldForTests } from "./world.ts";

const world = await worldForTests();
const good = ["--allow-domain", "*.good.example"];
const https = ["--ro-bind", `${world.authority}:/tmp-ca.pem`];

const events = (run: Awaited<ReturnType<typeof world.sandbox>>, transition: string) =>
  run.result.events.filter((event) => event["event.name"] === `rauha.network.egress.${transition}`);

describe("an allowed domain", () => {
  test("is reached by HTTP, and the event says what flowed", async () => {
    const run = await world.sandbox(good, ["curl", "-sS", "http://www.good.example/"]);
    expect(run.result.stdout).toBe("hello from www.good.example\n");
    const [event] = events(run, "allowed");
    expect(event).toMatchObject({
      "event.outcome": "allowed",
      "event.kind": "network",
      "network.protocol": "tcp",
      "network.name": "www.good.example",
      "network.address": "203.0.113.10",
      "network.port": 80,
      policy_key: "network.allowed_domains",
    });
    expect(event?.["network.sent_bytes"]).toBeGreaterThan(50);
    expect(event?.["network.received_bytes"]).toBeGreaterThan(50);
    expect(events(run, "denied")).toEqual([]);
    expect(run.result.enforcement.trust_level).toBe("complete");
    expect(run.result.guarantees).toContainEqual({
      name: "network_rules",
      state: "enforced",
      mechanism: "network namespace whose only way out is the gateway: nftables redirect, DNS pins, SNI, Host",
    });
  });

  test("is reached by HTTPS, and TLS is end to end", async () => {
    const run = await world.sandbox(
      [...good, ...https],
      ["curl", "-sS", "--cacert", "/tmp-ca.pem", "https://www.good.example/"],
    );
    expect(run.result.stderr).toBe("");
    expect(run.result.stdout).toBe("hello from www.good.example\n");
    expect(events(run, "allowed")[0]).toMatchObject({ "network.port": 443, why: "SNI names an allowed domain" });
  });

  test("is reached by IPv6", async () => {
    const run = await world.sandbox(good, ["curl", "-sS", "-6", "http://six.good.example/"]);
    expect(run.result.stdout).toBe("hello from six.good.example\n");
    expect(events(run, "allowed")[0]).toMatchObject({ "network.address": "2001:db8::10" });
  });

  test("is reached through a chain of aliases", async () => {
    const run = await world.sandbox(good, ["curl", "-sS", "http://alias.good.example/"]);
    expect(run.result.stdout).toBe("hello from alias.good.example\n");
  });

  test("is reached by its other address where one leads nowhere", async () => {
    const run = await world.sandbox(good, ["curl", "-sS", "-6", "http://dead6.good.example/"]);
    expect(run.result.stdout).toBe("hello from dead6.good.example\n");
    expect(events(run, "allowed")[0]).toMatchObject({ "network.address": "203.0.113.10" });
  });

  test("is reached by the one usable address where another is private", async () => {
    const run = await world.sandbox(good, ["curl", "-sS", "http://half.good.example/"]);
    expect(run.result.stdout).toBe("hello from half.good.example\n");
  });

  test("is reached where the server speaks first", async () => {
    const script =
      'exec 3<>/dev/tcp/ssh.good.example/22; read -r line <&3; echo "$line"; echo ping >&3; read -r line <&3; echo "$line"';
    const run = await world.sandbox(good, ["bash", "-c", script]);
    expect(run.result.stdout).toBe("SSH-2.0-world\r\nping\n");
    expect(events(run, "allowed")[0]).toMatchObject({ "network.name": "ssh.good.example", "network.port": 22 });
  });

  test("is reached by raw TCP, half closed", async () => {
    const script = `
import socket
s = socket.create_connection(("www.good.example", 9))
for _ in range(64): s.sendall(b"x" * 65536)
s.shutdown(socket.SHUT_WR)
print(s.recv(100).decode(), end="")`;
    const run = await world.sandbox(good, ["python3", "-c", script]);
    expect(run.result.stdout).toBe(`${64 * 65_536}\n`);
  });

  test("is reached with a port of its own, and at no other", async () => {
    const flags = ["--allow-domain", "www.good.example:8080"];
    const run = await world.sandbox(flags, ["curl", "-sS", "http://www.good.example:8080/"]);
    expect(run.result.stdout).toBe("hello from www.good.example:8080\n");
    const other = await world.sandbox(flags, ["curl", "-sS", "http://www.good.example/"]);
    expect(other.exitCode).not.toBe(0);
    expect(events(other, "denied").at(-1)).toMatchObject({ why: "www.good.example is not allowed at port 80" });
  });

  test("is reached by what was sent last, though the task has ended", async () => {
    await world.forget();
    const script = `
import socket
s = socket.create_connection(("www.good.example", 80))
s.sendall(b"POST /last HTTP/1.1\\r\\nHost: www.good.example\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nlast")`;
    const run = await world.sandbox(good, ["python3", "-c", script]);
    expect(run.exitCode).toBe(0);
    const { seen } = await world.seen();
    expect(seen).toContain("http 203.0.113.10:80 www.good.example");
  });
});

describe("programs without any proxy variable", () => {
  test("Python's urllib", async () => {
    const script = 'import urllib.request as u; print(u.urlopen("http://www.good.example/").read().decode(), end="")';
    const run = await world.sandbox(good, ["python3", "-c", script]);
    expect(run.result.stdout).toBe("hello from www.good.example\n");
  });

  test("Python over TLS", async () => {
    const script = `import ssl, urllib.request as u
c = ssl.create_default_context(cafile="/tmp-ca.pem")
print(u.urlopen("https://www.good.example/", context=c).read().decode(), end="")`;
    const run = await world.sandbox([...good, ...https], ["python3", "-c", script]);
    expect(run.result.stdout).toBe("hello from www.good.example\n");
  });

  test("a denied name is an error that says so, at once", async () => {
    const began = performance.now();
    const run = await world.sandbox(good, ["curl", "-sS", "http://evil.example/"]);
    expect(run.exitCode).toBe(6);
    expect(run.result.stderr).toContain("Could not resolve host: evil.example");
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(events(run, "denied")[0]).toMatchObject({
      "event.outcome": "denied",
      "network.protocol": "dns",
      "network.name": "evil.example",
      why: "no allowed domain has the name",
      policy_key: "network.allowed_domains",
    });
  });
});

describe("allowed_egress", () => {
  test("reaches an address and port, and no neighbour", async () => {
    const flags = ["--allow-egress", "203.0.113.77:7"];
    const script = `
import socket
def tried(host, port):
  try:
    s = socket.create_connection((host, port), 5); s.sendall(b"ping"); return s.recv(4)
  except OSError as e: return type(e).__name__
print(tried("203.0.113.77", 7), tried("203.0.113.77", 9), tried("203.0.113.66", 7))`;
    const run = await world.sandbox(flags, ["python3", "-c", script]);
    expect(run.result.stdout).toBe("b'ping' ConnectionResetError ConnectionResetError\n");
    expect(events(run, "allowed")[0]).toMatchObject({
      policy_key: "network.allowed_egress",
      why: "allowed_egress lists 203.0.113.77:7",
    });
  });

  test("reaches a private address that it lists", async () => {
    const run = await world.sandbox(["--allow-egress", "10.0.0.0/8:80"], ["curl", "-sS", "http://10.0.0.1/"]);
    expect(run.result.stdout).toBe("hello from 10.0.0.1\n");
  });

  test("lets a name lead to a private address that it lists", async () => {
    const run = await world.sandbox(
      [...good, "--allow-egress", "10.0.0.1:80"],
      ["curl", "-sS", "http://private.good.example/"],
    );
    expect(run.result.stdout).toBe("hello from private.good.example\n");
  });
});

describe("the host's loopback", () => {
  test("is reached where it is listed, at the port that is listed; else it is the zone's own", async () => {
    const script =
      "for p in 80 8080; do curl -sS http://127.0.0.1:$p/ 2>&1; curl -sS http://[::1]:$p/ 2>&1; done; curl -sS http://localhost/";
    const run = await world.sandbox(
      ["--allow-egress", "127.0.0.1:80", "--allow-egress", "[::1]:8080"],
      ["sh", "-c", script],
    );
    const lines = run.result.stdout?.split("\n") ?? [];
    expect(lines[0]).toBe("hello from 127.0.0.1");
    expect(lines[1]).toContain("Failed to connect to ::1 port 80");
    expect(lines[2]).toContain("Failed to connect to 127.0.0.1 port 8080");
    expect(lines[3]).toBe("hello from [::1]:8080");
    expect(lines[4]).toBe("hello from localhost");
  });

  test("and the other special ranges are not listed by 0.0.0.0/0", async () => {
    const script = "for h in 10.0.0.1 169.254.169.254 203.0.113.66; do curl -sS --max-time 5 http://$h/ 2>&1; done";
    const run = await world.sandbox(["--allow-egress", "0.0.0.0/0:80"], ["sh", "-c", script]);
    expect(run.result.stdout?.split("\n").map((line) => line.slice(0, 6))).toEqual(["curl: ", "curl: ", "hello ", ""]);
  });
});

describe("the zone itself", () => {
  test("talks to itself as in any zone", async () => {
    const script = `
import socket, threading
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
  l = socket.socket(family); l.bind((host, 0)); l.listen()
  s = socket.create_connection(l.getsockname()[:2]); a, _ = l.accept()
  s.sendall(b"own"); print(a.recv(3).decode())
  u = socket.socket(family, socket.SOCK_DGRAM); u.bind((host, 0))
  v = socket.socket(family, socket.SOCK_DGRAM); v.sendto(b"udp", u.getsockname()[:2]); print(u.recv(3).decode())`;
    const run = await world.sandbox([], ["python3", "-c", script]);
    expect(run.result.stdout).toBe("own\nudp\nown\nudp\n");
    expect(run.result.enforcement_events).toEqual([]);
  });

  test("has nothing but lo", async () => {
    const run = await world.sandbox(good, ["bash", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"]);
    expect(run.result.stdout).toBe("lo\n");
  });

  test("asks the host's resolver for nothing that is not allowed", async () => {
    await world.forget();
    await world.sandbox(good, ["bash", "-c", "getent hosts www.good.example evil.example secret.data.evil.example"]);
    const { asked } = await world.seen();
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((name) => !name.startsWith("www.good.example "))).toEqual([]);
  });
});
