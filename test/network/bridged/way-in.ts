/** Who comes into a bridged zone: by its address, and by a published port. */
import { describe, expect, test } from "bun:test";
import { inside, outside, publicAddress } from "../../support/network-world.ts";
import { type BridgedStage, ended, python, refused, to, type Wish } from "./stage.ts";

export function wayInCases(stage: BridgedStage): void {
  describe("who comes in", () => {
    test("is who is listed, on the port that is listed", async () => {
      await using zone = await stage.listeningZone("served", {
        ingress: [`${publicAddress}/32:7000`, `${outside}/32:7001`],
      });
      const from = (source: string): string =>
        stage.world.outsideDo(`${python} -c 'import socket
s=socket.socket(); s.bind(("${source}",0)); s.settimeout(20)
try: s.connect(("${zone.address}",7000)); print(s.recv(9).decode())
except OSError as e: print(e.errno)'`);
      expect(from(publicAddress)).toBe("hello\n");
      expect(from(outside)).toBe("111\n");
      // The host itself is nobody special.
      expect(stage.world.probe("inside", to(zone.address, 7000)).map(({ outcome }) => outcome)).toEqual([refused]);
    });

    stage.more("is the host, when it is listed", async () => {
      await using zone = await stage.listeningZone("served", { ingress: ["10.89.0.1/32:7000"] });
      expect(stage.world.probe("inside", to(zone.address, 7000)).map(({ outcome }) => outcome)).toEqual(["OK"]);
    });
  });

  describe("a published port", () => {
    const serve = [
      "-c",
      `import socket\ns=socket.create_server(("0.0.0.0",7000))\nprint("up",flush=True)\nwhile True:\n  c,_=s.accept(); c.sendall(b"hello"); c.close()`,
    ];

    async function publishing(publish: string, wish: Wish = {}) {
      const child = stage.world.start(
        [...stage.policy("published", wish), "--publish", publish, "--stream"],
        [python, ...serve],
      );
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      if (value === undefined) throw new Error(await child.stderr.text());
      return { [Symbol.asyncDispose]: () => ended(child) };
    }

    const outcomesFrom = (machine: "inside" | "outside", ...attempts: string[]) =>
      stage.world.probe(machine, ...attempts).map(({ outcome }) => outcome);

    test("is on the host's loopback, there alone, and gone with the zone", async () => {
      const before = stage.world.state();
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
      expect(stage.world.state()).toEqual(before);
    });

    test("is on every address, when that is said", async () => {
      await using _zone = await publishing("0.0.0.0:18081:7000");
      expect(outcomesFrom("outside", to(inside, 18081))).toEqual(["OK"]);
      expect(outcomesFrom("inside", to("127.0.0.1", 18081), to(inside, 18081))).toEqual(["OK", "OK"]);
      expect(outcomesFrom("outside", to(inside, 7000))).toEqual(["ECONNREFUSED"]);
    });

    stage.more("takes nobody's port, and gives its own to nobody", async () => {
      await stage.world.serve("inside", 18082);
      const taken = await stage.world.sandbox([...stage.policy("published"), "--publish", "18082:80"], ["true"]);
      expect(taken.exitCode).toBe(125);
      expect(taken.result.error?.message).toContain("the port is in use on the host");
      await using _zone = await publishing("18083:7000");
      const second = await stage.world.sandbox(
        [...stage.policy("published"), "--publish", "0.0.0.0:18083:80"],
        ["true"],
      );
      expect(second.result.error?.message).toContain("--publish 0.0.0.0:18083:80: the port is in use");
    });

    test("opens no zone the way to the host's loopback", async () => {
      const host = await stage.world.serve("inside", 18084);
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
      const { result } = await stage.world.sandbox(stage.policy("frames", wish), [python, "-c", frame]);
      expect(result.stderr).toBe("");
      stage.world.insideDo(
        `${python} -c 'import socket; socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(b"by-host",("127.0.0.1",18084))'`,
      );
      await host.wait("by-host");
      expect(host.lines.filter((line) => line.includes("to-"))).toEqual([]);
    });
  });
}
