/** Where a bridged zone may go, and by what address. */
import { beforeEach, describe, expect, test } from "bun:test";
import { isPinned } from "../../support/identity.ts";
import { inside, metadataAddress, outside, privateAddress, publicAddress } from "../../support/network-world.ts";
import { attemptWords, PROBE, parseAnswers, probeBind } from "../../support/probe.ts";
import { guarantee } from "../../support/rauha.ts";
import { type BridgedStage, python, refused, to, unlisted } from "./stage.ts";

export function wayOutCases(stage: BridgedStage): void {
  describe("a bridged zone", () => {
    let before: Record<string, string>;
    beforeEach(() => {
      before = stage.world.state();
    });

    test("has an address of its own, a route, no IPv6, and says what keeps its rules", async () => {
      const script =
        "ip -o -4 addr show eth0; ip route; ip -6 addr show dev eth0; ls /sys/class/net /proc/sys/net/ipv4/conf 2>/dev/null";
      const { result } = await stage.world.sandbox(stage.policy("own"), ["sh", "-c", script]);
      expect(result.error).toBeNull();
      expect(result.stdout).toMatch(/eth0 +inet 10\.89\.\d+\.\d+\/32/);
      expect(result.stdout).toContain("default via 10.89.0.1 dev eth0");
      expect(result.stdout).not.toContain("inet6");
      expect(result.stdout).not.toContain("up0");
      expect(guarantee(result, "network_rules")).toMatchObject({ state: "enforced" });
      expect(guarantee(result, "network_rules").mechanism).toContain("nftables");
      expect(guarantee(result, "network_namespace").state).toBe("enforced");
      expect(stage.world.state()).toEqual(before);
    });

    test("reaches what is listed, address and port, and is refused all else at once", async () => {
      const wish = { egress: [`${publicAddress}/32:80`, "203.0.113.0/24:1000-2000"] };
      expect(
        await stage.tryBridged(
          wish,
          to(publicAddress, 80),
          to(publicAddress, 81),
          to(outside, 80),
          to("203.0.113.9", 999),
        ),
      ).toEqual({
        [to(publicAddress, 80)]: "OK",
        [to(publicAddress, 81)]: unlisted,
        [to(outside, 80)]: unlisted,
        [to("203.0.113.9", 999)]: unlisted,
      });
      // Behind the host's address: outside nobody knows of zones.
      expect(await stage.servers.wait("tcp 80 from")).toContain(`from ${inside}`);
      expect(stage.servers.lines.some((line) => line.startsWith("tcp 81"))).toBe(false);
    });

    stage.more("under the shipped policy standard reaches ports 80 and 443, and more when a flag says so", async () => {
      const attempts = [to(publicAddress, 80), to(publicAddress, 81)];
      const flags = ["--policy", "standard", ...probeBind];
      const run = async (...more: string[]) => {
        const { result } = await stage.world.sandbox([...flags, ...more], [PROBE, ...attemptWords(attempts)]);
        return [result.error, ...parseAnswers(result.stdout ?? "").map(({ outcome }) => outcome)];
      };
      expect(await run()).toEqual([null, "OK", unlisted]);
      expect(await run("--allow-egress", `${publicAddress}:81`)).toEqual([null, "OK", "OK"]);
    });

    stage.more("is refused many times without waiting", async () => {
      const attempts = Array.from({ length: 24 }, () => to(publicAddress, 81));
      expect(await stage.tryBridged({}, ...attempts)).toEqual({ [to(publicAddress, 81)]: unlisted });
    });

    stage.more("with nothing listed reaches nothing", async () => {
      const attempts = [to(publicAddress, 80), to(outside, 53), to("10.89.0.1", 80), to(inside, 80)];
      expect(await stage.tryBridged({}, ...attempts)).toEqual(
        Object.fromEntries(attempts.map((one) => [one, unlisted])),
      );
    });

    test("is refused private addresses and the metadata of clouds by a rule for everything, and reaches them when they are listed", async () => {
      const attempts = [to(privateAddress, 80), to(metadataAddress, 80), to(publicAddress, 80)];
      expect(Object.values(await stage.tryBridged({ egress: ["0.0.0.0/0:*"] }, ...attempts))).toEqual([
        unlisted,
        unlisted,
        "OK",
      ]);
      const named = { egress: ["0.0.0.0/0:*", "10.7.0.0/16:80", `${metadataAddress}/32:80`] };
      expect(Object.values(await stage.tryBridged(named, ...attempts))).toEqual(["OK", "OK", "OK"]);
    });

    test("does not reach the host, by whichever of its addresses, whatever is listed", async () => {
      const host = await stage.world.serve("inside", 8080);
      const wish = { egress: ["0.0.0.0/0:*", "10.0.0.0/8:*", "127.0.0.0/8:*"] };
      const attempts = [to(inside, 8080), to("10.89.0.1", 8080)];
      expect(stage.world.probe("inside", to(inside, 8080)).map(({ outcome }) => outcome)).toEqual(["OK"]);
      expect(Object.values(await stage.tryBridged(wish, ...attempts))).toEqual([refused, refused]);
      expect(host.lines.filter((line) => line.includes("10.89."))).toEqual([]);
    });

    test("sends UDP where a rule lets it, and ICMP where a rule is for everything", async () => {
      const send = `import socket,sys
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(20)
for port,word in ((80,b"listed"),(81,b"unlisted")):
  try: s.connect(("${outside}",port)); s.send(word); print(s.recv(100).decode())
  except OSError as e: print(e.errno)`;
      const { result } = await stage.world.sandbox(stage.policy("udp", { egress: [`${outside}/32:80`] }), [
        python,
        "-c",
        send,
      ]);
      expect(result.stdout).toBe(`listed\n${isPinned ? 1 : 113}\n`);
      expect(stage.servers.lines).not.toContain(`udp 81 from ${inside}: unlisted`);
    });

    stage.more("asks names where the host does, and only there", async () => {
      stage.world.insideDo(
        `echo 'nameserver ${publicAddress}\nsearch test.example' > /run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf`,
      );
      try {
        const { result } = await stage.world.sandbox(stage.policy("names", { egress: ["203.0.113.1:443"] }), [
          "cat",
          "/etc/resolv.conf",
        ]);
        expect(result.stdout).toBe(`nameserver ${publicAddress}\nsearch test.example\n`);
        const attempts = [to(publicAddress, 53), to(outside, 53), to(publicAddress, 80)];
        expect(Object.values(await stage.tryBridged({ egress: ["203.0.113.1:443"] }, ...attempts))).toEqual([
          "OK",
          unlisted,
          unlisted,
        ]);
        // Nothing to connect to, so nothing to ask.
        expect(Object.values(await stage.tryBridged({}, to(publicAddress, 53)))).toEqual([unlisted]);
        stage.world.insideDo("echo nameserver 127.0.0.53 > /run/resolv.conf");
        const lost = await stage.world.sandbox(stage.policy("names", { egress: ["203.0.113.1:443"] }), [
          "cat",
          "/etc/resolv.conf",
        ]);
        expect(lost.result.stdout).toContain("# The host's resolvers are on its loopback");
        expect(lost.stderr).toContain("the zone can't resolve names");
      } finally {
        stage.world.insideDo("umount /etc/resolv.conf; rm /run/resolv.conf");
      }
    });
  });
}
