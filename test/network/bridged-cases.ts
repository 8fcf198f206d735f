/** Network mode bridged, attacked and used: on the machine that runs the tests, and once more in the rig's VM. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import {
  inside,
  metadataAddress,
  NetworkWorld,
  outside,
  privateAddress,
  publicAddress,
  type Servers,
} from "../support/network-world.ts";
import { type Attempt, attemptWords, PROBE, parseAnswers, probeBind } from "../support/probe.ts";
import { guarantee } from "../support/rauha.ts";

/** A reset, from a host that has a server there: else it would not show who refused. */
const refused = "ECONNREFUSED";
const python = "/usr/bin/python3";

async function ended(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  await child.exited;
}

interface Wish {
  readonly egress?: readonly string[];
  readonly ingress?: readonly string[];
  readonly zones?: readonly string[];
  readonly capabilities?: readonly string[];
  /** System calls that the default profile denies. */
  readonly calls?: readonly string[];
}

/** How much of it. */
interface Extent {
  /** How many zones are made and deleted in all in the concurrent test. */
  readonly zones: number;
  /** How many invocations are killed. */
  readonly kills: number;
  /** Only what the kernel's version may decide: the rest is long on an emulated processor. */
  readonly brief?: boolean;
}

export function bridgedCases({ zones, kills, brief = false }: Extent): void {
  const more: typeof test = brief ? ((() => undefined) as unknown as typeof test) : test;
  const folder = makeFolder("bridged");
  let world: NetworkWorld;
  let servers: Servers;

  beforeAll(async () => {
    world = await NetworkWorld.make();
    servers = await world.serve("outside", 80, 81, 53);
  }, patient(30_000));
  afterAll(async () => await world.end());

  /** A policy file of this name with these lists. */
  function policy(name: string, wish: Wish = {}): string[] {
    const path = join(folder, `${name}.toml`);
    const list = (key: string, items: readonly string[] = []) => `${key} = ${JSON.stringify(items)}`;
    const lines = [
      `[zone]\nname = "${name}"`,
      `[capabilities]\n${list("allowed", wish.capabilities)}`,
      `[network]\nmode = "bridged"`,
      list("allowed_egress", wish.egress),
      list("allowed_ingress", wish.ingress),
      list("allowed_zones", wish.zones),
      `[syscalls]\n${list("allow", wish.calls)}`,
      `[filesystem]\nroot = "host"\nwritable_paths = ["/tmp"]\n`,
    ];
    writeFileSync(path, lines.join("\n"));
    return ["--policy", path];
  }

  /** What the probe is answered in a zone with these lists. */
  async function tryBridged(wish: Wish, ...attempts: readonly Attempt[]): Promise<Record<string, string>> {
    const run = await world.sandbox([...policy("tried", wish), ...probeBind], [PROBE, ...attemptWords(attempts)]);
    if (run.result.error !== null) throw new Error(`${run.result.error.message} ${run.stderr}`);
    return Object.fromEntries(parseAnswers(run.result.stdout ?? "").map(({ attempt, outcome }) => [attempt, outcome]));
  }

  const to = (address: string, port: number): string => `connect inet ${address} ${port}`;
  /** A zone that says its address and answers on a port until it is ended. */
  async function listeningZone(name: string, wish: Wish) {
    const serve = `import socket,sys
s=socket.create_server(("0.0.0.0",7000))
print("address",open("/proc/net/fib_trie").read().count("x"),flush=True)
while True:
  c,_=s.accept(); c.sendall(b"hello"); c.close()`;
    const child = world.start(
      [...policy(name, wish), "--stream"],
      ["sh", "-c", `ip -o -4 addr show eth0; exec ${python} -c '${serve}'`],
    );
    let text = "";
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("address ")) break;
    }
    const address = /inet (10\.89\.\d+\.\d+)\/32/.exec(text)?.[1];
    if (address === undefined) throw new Error(`the zone does not run: ${text} ${await child.stderr.text()}`);
    return { address, [Symbol.asyncDispose]: () => ended(child) };
  }

  describe("a bridged zone", () => {
    let before: Record<string, string>;
    beforeEach(() => {
      before = world.state();
    });

    test("has an address of its own, a route, no IPv6, and says what keeps its rules", async () => {
      const script =
        "ip -o -4 addr show eth0; ip route; ip -6 addr show dev eth0; ls /sys/class/net /proc/sys/net/ipv4/conf 2>/dev/null";
      const { result } = await world.sandbox(policy("own"), ["sh", "-c", script]);
      expect(result.error).toBeNull();
      expect(result.stdout).toMatch(/eth0 +inet 10\.89\.\d+\.\d+\/32/);
      expect(result.stdout).toContain("default via 10.89.0.1 dev eth0");
      expect(result.stdout).not.toContain("inet6");
      expect(result.stdout).not.toContain("up0");
      expect(guarantee(result, "network_rules")).toMatchObject({ state: "enforced" });
      expect(guarantee(result, "network_rules").mechanism).toContain("nftables");
      expect(guarantee(result, "network_namespace").state).toBe("enforced");
      expect(world.state()).toEqual(before);
    });

    test("reaches what is listed, address and port, and is refused all else at once", async () => {
      const wish = { egress: [`${publicAddress}/32:80`, "203.0.113.0/24:1000-2000"] };
      expect(
        await tryBridged(wish, to(publicAddress, 80), to(publicAddress, 81), to(outside, 80), to("203.0.113.9", 999)),
      ).toEqual({
        [to(publicAddress, 80)]: "OK",
        [to(publicAddress, 81)]: refused,
        [to(outside, 80)]: refused,
        [to("203.0.113.9", 999)]: refused,
      });
      // Behind the host's address: outside nobody knows of zones.
      expect(await servers.wait("tcp 80 from")).toContain(`from ${inside}`);
      expect(servers.lines.some((line) => line.startsWith("tcp 81"))).toBe(false);
    });

    more("under the shipped policy standard reaches ports 80 and 443, and more when a flag says so", async () => {
      const attempts = [to(publicAddress, 80), to(publicAddress, 81)];
      const flags = ["--policy", "standard", ...probeBind];
      const run = async (...more: string[]) => {
        const { result } = await world.sandbox([...flags, ...more], [PROBE, ...attemptWords(attempts)]);
        return [result.error, ...parseAnswers(result.stdout ?? "").map(({ outcome }) => outcome)];
      };
      expect(await run()).toEqual([null, "OK", refused]);
      expect(await run("--allow-egress", `${publicAddress}:81`)).toEqual([null, "OK", "OK"]);
    });

    more("is refused many times without waiting", async () => {
      const attempts = Array.from({ length: 24 }, () => to(publicAddress, 81));
      expect(await tryBridged({}, ...attempts)).toEqual({ [to(publicAddress, 81)]: refused });
    });

    more("with nothing listed reaches nothing", async () => {
      const attempts = [to(publicAddress, 80), to(outside, 53), to("10.89.0.1", 80), to(inside, 80)];
      expect(await tryBridged({}, ...attempts)).toEqual(Object.fromEntries(attempts.map((one) => [one, refused])));
    });

    test("is refused private addresses and the metadata of clouds by a rule for everything, and reaches them when they are listed", async () => {
      const attempts = [to(privateAddress, 80), to(metadataAddress, 80), to(publicAddress, 80)];
      expect(Object.values(await tryBridged({ egress: ["0.0.0.0/0:*"] }, ...attempts))).toEqual([
        refused,
        refused,
        "OK",
      ]);
      const named = { egress: ["0.0.0.0/0:*", "10.7.0.0/16:80", `${metadataAddress}/32:80`] };
      expect(Object.values(await tryBridged(named, ...attempts))).toEqual(["OK", "OK", "OK"]);
    });

    test("does not reach the host, by whichever of its addresses, whatever is listed", async () => {
      const host = await world.serve("inside", 8080);
      const wish = { egress: ["0.0.0.0/0:*", "10.0.0.0/8:*", "127.0.0.0/8:*"] };
      const attempts = [to(inside, 8080), to("10.89.0.1", 8080)];
      expect(world.probe("inside", to(inside, 8080)).map(({ outcome }) => outcome)).toEqual(["OK"]);
      expect(Object.values(await tryBridged(wish, ...attempts))).toEqual([refused, refused]);
      expect(host.lines.filter((line) => line.includes("10.89."))).toEqual([]);
    });

    test("sends UDP where a rule lets it, and ICMP where a rule is for everything", async () => {
      const send = `import socket,sys
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(20)
for port,word in ((80,b"listed"),(81,b"unlisted")):
  s.connect(("${outside}",port))
  try: s.send(word); print(s.recv(100).decode())
  except OSError as e: print(e.errno)`;
      const { result } = await world.sandbox(policy("udp", { egress: [`${outside}/32:80`] }), [python, "-c", send]);
      expect(result.stdout).toBe("listed\n113\n");
      expect(servers.lines).not.toContain(`udp 81 from ${inside}: unlisted`);
    });

    test("can't send from addresses that are not its own, whatever capabilities it has", async () => {
      const spoof = `import socket,struct
def sum(b):
  t=0
  for i in range(0,len(b),2): t+=(b[i]<<8)+b[i+1]
  while t>>16: t=(t&0xffff)+(t>>16)
  return ~t&0xffff
s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(("eth0",0))
mac=s.getsockname()[4]; gate=bytes.fromhex("025248000000")
import fcntl
me=fcntl.ioctl(s,0x8915,struct.pack("256s",b"eth0"))[20:24]
def frame(smac,src,word,kind=0x0800):
  udp=struct.pack("!HHHH",4000,80,8+len(word),0)+word
  ip=struct.pack("!BBHHHBBH4s4s",0x45,0,20+len(udp),1,0,64,17,0,src,socket.inet_aton("${publicAddress}"))
  ip=ip[:10]+struct.pack("!H",sum(ip))+ip[12:]
  return gate+smac+struct.pack("!H",kind)+ip+udp
other=bytes([10,89,me[2],me[3]^1])
s.send(frame(mac,other,b"spoofed-zone"))
s.send(frame(mac,socket.inet_aton("${inside}"),b"spoofed-host"))
s.send(frame(mac,socket.inet_aton("192.0.2.77"),b"spoofed-lan"))
s.send(frame(bytes([2,0x52,0x48,1,9,9]),me,b"spoofed-mac"))
s.send(frame(gate,me,b"spoofed-gate"))
s.send(frame(mac,me,b"honest"))
print("sent")`;
      const wish = {
        egress: [`${publicAddress}/32:80`],
        capabilities: ["CAP_NET_RAW", "CAP_NET_ADMIN"],
        calls: ["socket"],
      };
      const { result } = await world.sandbox(policy("spoof", wish), [python, "-c", spoof]);
      expect(result.stderr).toBe("");
      expect(await servers.wait("honest")).toBe(`udp 80 from ${inside}: honest`);
      expect(servers.lines.filter((line) => line.includes("spoofed"))).toEqual([]);
    });

    test("with every power over its own namespace changes nothing of what holds", async () => {
      const rules = world.insideDo("nft list ruleset");
      const script = [
        "ip link set eth0 down; ip link set eth0 address 02:52:48:01:07:07; ip addr flush dev eth0; ip addr add 10.89.7.7/16 dev eth0; ip link set eth0 up",
        "ip route add default via 10.89.0.1; ip neigh replace 10.89.0.1 lladdr 02:52:48:00:00:00 dev eth0 nud permanent",
        `${PROBE} connect inet ${publicAddress} 80 & sleep 2; kill $! 2>/dev/null`,
        "ip -o addr show eth0",
      ];
      const wish = { egress: ["0.0.0.0/0:80"], capabilities: ["CAP_NET_ADMIN"] };
      const { result } = await world.sandbox([...policy("admin", wish), ...probeBind], ["sh", "-c", script.join("\n")]);
      expect(result.stdout).toContain("10.89.7.7/16");
      expect(result.stdout).not.toContain("connect inet");
      expect(world.insideDo("nft list ruleset")).toBe(rules);
      expect(world.state()).toEqual(before);
    });

    more("asks names where the host does, and only there", async () => {
      world.insideDo(
        `echo 'nameserver ${publicAddress}\nsearch test.example' > /run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf`,
      );
      try {
        const { result } = await world.sandbox(policy("names", { egress: ["203.0.113.1:443"] }), [
          "cat",
          "/etc/resolv.conf",
        ]);
        expect(result.stdout).toBe(`nameserver ${publicAddress}\nsearch test.example\n`);
        const attempts = [to(publicAddress, 53), to(outside, 53), to(publicAddress, 80)];
        expect(Object.values(await tryBridged({ egress: ["203.0.113.1:443"] }, ...attempts))).toEqual([
          "OK",
          refused,
          refused,
        ]);
        // Nothing to connect to, so nothing to ask.
        expect(Object.values(await tryBridged({}, to(publicAddress, 53)))).toEqual([refused]);
        world.insideDo("echo nameserver 127.0.0.53 > /run/resolv.conf");
        const lost = await world.sandbox(policy("names", { egress: ["203.0.113.1:443"] }), ["cat", "/etc/resolv.conf"]);
        expect(lost.result.stdout).toContain("# The host's resolvers are on its loopback");
        expect(lost.stderr).toContain("the zone can't resolve names");
      } finally {
        world.insideDo("umount /etc/resolv.conf; rm /run/resolv.conf");
      }
    });
  });

  describe("who comes in", () => {
    test("is who is listed, on the port that is listed", async () => {
      await using zone = await listeningZone("served", { ingress: [`${publicAddress}/32:7000`, `${outside}/32:7001`] });
      const from = (source: string): string =>
        world.outsideDo(`${python} -c 'import socket
s=socket.socket(); s.bind(("${source}",0)); s.settimeout(20)
try: s.connect(("${zone.address}",7000)); print(s.recv(9).decode())
except OSError as e: print(e.errno)'`);
      expect(from(publicAddress)).toBe("hello\n");
      expect(from(outside)).toBe("111\n");
      // The host itself is nobody special.
      expect(world.probe("inside", to(zone.address, 7000)).map(({ outcome }) => outcome)).toEqual([refused]);
    });

    more("is the host, when it is listed", async () => {
      await using zone = await listeningZone("served", { ingress: ["10.89.0.1/32:7000"] });
      expect(world.probe("inside", to(zone.address, 7000)).map(({ outcome }) => outcome)).toEqual(["OK"]);
    });
  });

  describe("a published port", () => {
    const serve = [
      "-c",
      `import socket\ns=socket.create_server(("0.0.0.0",7000))\nprint("up",flush=True)\nwhile True:\n  c,_=s.accept(); c.sendall(b"hello"); c.close()`,
    ];

    async function publishing(publish: string, wish: Wish = {}) {
      const child = world.start([...policy("published", wish), "--publish", publish, "--stream"], [python, ...serve]);
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      if (value === undefined) throw new Error(await child.stderr.text());
      return { [Symbol.asyncDispose]: () => ended(child) };
    }

    const outcomesFrom = (machine: "inside" | "outside", ...attempts: string[]) =>
      world.probe(machine, ...attempts).map(({ outcome }) => outcome);

    test("is on the host's loopback, there alone, and gone with the zone", async () => {
      const before = world.state();
      {
        await using _zone = await publishing("18080:7000");
        expect(outcomesFrom("inside", to("127.0.0.1", 18080), to(inside, 18080), to("127.0.0.1", 7000))).toEqual([
          "OK",
          "ECONNREFUSED",
          "ECONNREFUSED",
        ]);
        expect(outcomesFrom("outside", to(inside, 18080))).toEqual(["ECONNREFUSED"]);
      }
      expect(outcomesFrom("inside", to("127.0.0.1", 18080))).toEqual(["ECONNREFUSED"]);
      expect(world.state()).toEqual(before);
    });

    test("is on every address, when that is said", async () => {
      await using _zone = await publishing("0.0.0.0:18081:7000");
      expect(outcomesFrom("outside", to(inside, 18081))).toEqual(["OK"]);
      expect(outcomesFrom("inside", to("127.0.0.1", 18081), to(inside, 18081))).toEqual(["OK", "OK"]);
      expect(outcomesFrom("outside", to(inside, 7000))).toEqual(["ECONNREFUSED"]);
    });

    more("takes nobody's port, and gives its own to nobody", async () => {
      await world.serve("inside", 18082);
      const taken = await world.sandbox([...policy("published"), "--publish", "18082:80"], ["true"]);
      expect(taken.exitCode).toBe(125);
      expect(taken.result.error?.message).toContain("the port is in use on the host");
      await using _zone = await publishing("18083:7000");
      const second = await world.sandbox([...policy("published"), "--publish", "0.0.0.0:18083:80"], ["true"]);
      expect(second.result.error?.message).toContain("--publish 0.0.0.0:18083:80: the port is in use");
    });

    test("opens no zone the way to the host's loopback", async () => {
      const host = await world.serve("inside", 18084);
      await using _zone = await publishing("18085:7000");
      const frame = `import socket,struct,fcntl
def total(b):
  t=0
  for i in range(0,len(b),2): t+=(b[i]<<8)+b[i+1]
  while t>>16: t=(t&0xffff)+(t>>16)
  return ~t&0xffff
s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(("eth0",0))
me=fcntl.ioctl(s,0x8915,struct.pack("256s",b"eth0"))[20:24]
def send(to,word):
  udp=struct.pack("!HHHH",4000,18084,8+len(word),0)+word
  ip=struct.pack("!BBHHHBBH4s4s",0x45,0,20+len(udp),1,0,64,17,0,me,socket.inet_aton(to))
  s.send(bytes.fromhex("025248000000")+s.getsockname()[4]+b"\\x08\\x00"+ip[:10]+struct.pack("!H",total(ip))+ip[12:]+udp)
send("127.0.0.1",b"to-loopback"); send("${inside}",b"to-host")`;
      const wish = { egress: ["0.0.0.0/0:*", "127.0.0.0/8:*"], capabilities: ["CAP_NET_RAW"], calls: ["socket"] };
      const { result } = await world.sandbox(policy("frames", wish), [python, "-c", frame]);
      expect(result.stderr).toBe("");
      world.insideDo(
        `${python} -c 'import socket; socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(b"by-host",("127.0.0.1",18084))'`,
      );
      await host.wait("by-host");
      expect(host.lines.filter((line) => line.includes("to-"))).toEqual([]);
    });
  });

  describe("zone and zone", () => {
    const all = { egress: ["0.0.0.0/0:*", "10.89.0.0/16:*"], ingress: ["0.0.0.0/0:*", "10.89.0.0/16:*"] };

    async function between(served: Wish, asking: Wish): Promise<string[]> {
      await using zone = await listeningZone("alpha", served);
      const run = await world.sandbox(
        [...policy("beta", asking), ...probeBind],
        [PROBE, ...to(zone.address, 7000).split(" ")],
      );
      // The one that went left no way to the other, for whoever gets its address.
      expect(world.insideDo("nft list set ip rauha pairs")).not.toContain("10.89.");
      return parseAnswers(run.result.stdout ?? "").map(({ outcome }) => outcome);
    }

    test(
      "reach each other when both list the other",
      async () => {
        expect(await between({ zones: ["beta"] }, { zones: ["alpha"] })).toEqual(["OK"]);
      },
      patient(20_000),
    );

    test(
      "do not when one does not, whatever addresses are listed",
      async () => {
        expect(await between({ ...all, zones: ["beta"] }, all)).toEqual([refused]);
        expect(await between(all, { ...all, zones: ["alpha"] })).toEqual([refused]);
        expect(await between(all, all)).toEqual([refused]);
      },
      patient(30_000),
    );

    test(
      "do not by a detour around the host: no frame goes from one to the other",
      async () => {
        await using zone = await listeningZone("alpha", all);
        const script = `ip route add ${zone.address}/32 dev eth0 && ${PROBE} ${to(zone.address, 7000)}`;
        const admin = { ...all, capabilities: ["CAP_NET_ADMIN"] };
        const device = `rauha-${zone.address.split(".").slice(2).join("-")}`;
        const framesIn = () => world.insideDo(`ip -s -s -o link show ${device}`);
        const before = framesIn();
        const run = await world.sandbox([...policy("beta", admin), ...probeBind], ["sh", "-c", script]);
        // Not even the question who has the address came there.
        expect(framesIn()).toBe(before);
        // Nobody answers: whether the kernel or the probe gives up first.
        const [answer] = parseAnswers(run.result.stdout ?? "");
        expect(["EHOSTUNREACH", "ETIMEDOUT"]).toContain(answer?.outcome ?? "none");
      },
      patient(20_000),
    );
  });

  describe("the host", () => {
    const wish: Wish = { egress: ["0.0.0.0/0:80"] };

    test(
      "forwards for zones and for nobody else, and not at all when they have gone",
      async () => {
        const before = world.state();
        world.insideDo(
          "ip link add far0 type veth peer name far1; ip addr add 203.0.113.1/24 dev far0; ip link set far0 up; ip link set far1 up",
        );
        world.outsideDo(`ip route add 203.0.113.0/24 via ${inside}`);
        const asked = world.state();
        const zone = await listeningZone("router", wish);
        expect(
          world.insideDo("cat /proc/sys/net/ipv4/conf/up0/forwarding /proc/sys/net/ipv4/conf/all/forwarding"),
        ).toBe("1\n0\n");
        const [chain] = /chain forward \{[^}]*\}/.exec(world.insideDo("nft list table ip rauha")) ?? [""];
        expect(chain).toContain("iifname @switched drop");
        // A packet from outside for a network behind the host: it may come in, since the device forwards now, and goes nowhere.
        world.insideDo(
          "nft add table ip watch; nft add chain ip watch c '{ type filter hook postrouting priority 300; }'; nft add rule ip watch c ip daddr 203.0.113.50 counter",
        );
        world.outsideDo(
          `${python} -c 'import socket; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); [s.sendto(b"x",("203.0.113.50",9)) for _ in range(5)]'`,
        );
        await Bun.sleep(100);
        expect(world.insideDo("nft list table ip watch")).toContain("counter packets 0 bytes 0");
        world.insideDo("nft delete table ip watch");
        await zone[Symbol.asyncDispose]();
        expect(world.state()).toEqual(asked);
        world.insideDo("ip link del far0");
        world.outsideDo("ip route del 203.0.113.0/24");
        expect(world.state()).toEqual(before);
      },
      patient(20_000),
    );

    more("keeps rules of others, and a forwarding that was on", async () => {
      world.insideDo(
        "nft add table inet mine; nft add chain inet mine c '{ type filter hook forward priority 5; policy accept; }'; nft add rule inet mine c counter; sysctl -qw net.ipv4.conf.up0.forwarding=1",
      );
      const before = world.state();
      expect(Object.values(await tryBridged(wish, to(publicAddress, 80)))).toEqual(["OK"]);
      const after = world.state();
      const counted = (text = "") => text.replaceAll(/packets \d+ bytes \d+/g, "");
      expect({ ...after, rules: counted(after["rules"]) }).toEqual({ ...before, rules: counted(before["rules"]) });
      world.insideDo("nft delete table inet mine; sysctl -qw net.ipv4.conf.up0.forwarding=0");
    });

    more(
      "leaves forwarding as it is that someone switched on for all meanwhile, and steps out of the way",
      async () => {
        const guarded = () => world.insideDo("nft list set ip rauha switched").includes("up0");
        const forwarding = () => world.insideDo("cat /proc/sys/net/ipv4/conf/up0/forwarding").trim();
        {
          await using _zone = await listeningZone("first", wish);
          expect(guarded()).toBe(true);
          world.insideDo("sysctl -qw net.ipv4.conf.all.forwarding=1");
          await using _second = await listeningZone("second", wish);
          expect(guarded()).toBe(false);
        }
        expect(forwarding()).toBe("1");
        {
          await using _zone = await listeningZone("third", wish);
          world.insideDo("sysctl -qw net.ipv4.conf.all.forwarding=0");
        }
        expect(forwarding()).toBe("0");
      },
    );

    more("says it when the zones' network is taken, and makes nothing", async () => {
      world.insideDo("ip route add 10.89.5.0/24 dev up0");
      const before = world.state();
      const { exitCode, result } = await world.sandbox(policy("taken", wish), ["true"]);
      expect(exitCode).toBe(125);
      expect(result.error?.message).toContain("the host has a route to 10.89.5.0/24 by up0");
      expect(result.error?.stage).toBe("net");
      expect(world.state()).toEqual(before);
      world.insideDo("ip route del 10.89.5.0/24 dev up0");
    });

    test(
      "is as before after a killed invocation and the next one, whenever the kill came",
      async () => {
        const before = world.state();
        let killedRunning = 0;
        for (let round = 0; round < kills; round++) {
          const child = world.start(policy("killed", { ...wish, zones: ["killed"] }), ["sleep", "60"]);
          await Bun.sleep(patient((round * 96) / kills));
          // Rauha itself, or the launcher below it, if there is one by now.
          const below = world.insideDo(`pgrep -P ${child.pid} || true`).trim().split("\n")[0] ?? "";
          killedRunning += world.insideDo("ls /run/rauha/addresses 2>/dev/null | wc -l") === "0\n" ? 0 : 1;
          process.kill(round % 2 === 0 || below === "" ? child.pid : Number(below), "SIGKILL");
          await child.exited;
        }
        expect(killedRunning).toBeGreaterThan(0);
        expect(Object.values(await tryBridged(wish, to(publicAddress, 80)))).toEqual(["OK"]);
        expect(world.state()).toEqual(before);
      },
      patient(120_000),
    );

    test(
      `is as before after ${zones} zones, eight at once`,
      async () => {
        const before = world.state();
        const flags = policy("many", { ...wish, zones: ["many"] });
        const seen: string[] = [];
        let left = zones;
        const worker = async (): Promise<void> => {
          while (left-- > 0) {
            const { result } = await world.sandbox(flags, ["sh", "-c", "ip -o -4 addr show eth0"]);
            expect(result.error).toBeNull();
            seen.push(/10\.89\.\d+\.\d+/.exec(result.stdout ?? "")?.[0] ?? "none");
          }
        };
        await Promise.all(Array.from({ length: 8 }, worker));
        // Addresses rest before they are given again.
        expect(new Set(seen).size).toBe(zones);
        expect(seen).not.toContain("none");
        expect(world.state()).toEqual(before);
      },
      patient(300_000),
    );
  });
}
