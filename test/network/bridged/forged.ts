/** A task that has every power over its own network namespace. */
import { describe, expect, test } from "bun:test";
import { inside, publicAddress } from "../../support/network-world.ts";
import { PROBE, probeBind } from "../../support/probe.ts";
import { type BridgedStage, python } from "./stage.ts";

export function forgedCases(stage: BridgedStage): void {
  describe("a bridged zone with powers of its own", () => {
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
      const { result } = await stage.world.sandbox(stage.policy("spoof", wish), [python, "-c", spoof]);
      expect(result.stderr).toBe("");
      expect(await stage.servers.wait("honest")).toBe(`udp 80 from ${inside}: honest`);
      expect(stage.servers.lines.filter((line) => line.includes("spoofed"))).toEqual([]);
    });

    test("with every power over its own namespace changes nothing of what holds", async () => {
      const before = stage.world.state();
      const rules = stage.world.insideDo("nft list ruleset");
      const script = [
        "ip link set eth0 down; ip link set eth0 address 02:52:48:01:07:07; ip addr flush dev eth0; ip addr add 10.89.7.7/16 dev eth0; ip link set eth0 up",
        "ip route add default via 10.89.0.1; ip neigh replace 10.89.0.1 lladdr 02:52:48:00:00:00 dev eth0 nud permanent",
        `${PROBE} connect inet ${publicAddress} 80 & sleep 2; kill $! 2>/dev/null`,
        "ip -o addr show eth0",
      ];
      const wish = { egress: ["0.0.0.0/0:80"], capabilities: ["CAP_NET_ADMIN"] };
      const { result } = await stage.world.sandbox(
        [...stage.policy("admin", wish), ...probeBind],
        ["sh", "-c", script.join("\n")],
      );
      expect(result.stdout).toContain("10.89.7.7/16");
      expect(result.stdout).not.toContain("connect inet");
      expect(stage.world.insideDo("nft list ruleset")).toBe(rules);
      expect(stage.world.state()).toEqual(before);
    });
  });
}
