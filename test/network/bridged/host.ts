/** The host of bridged zones: it forwards for them alone, and is as before when they have gone. */
import { describe, expect, test } from "bun:test";
import { patient } from "../../support/identity.ts";
import { inside, publicAddress } from "../../support/network-world.ts";
import { type BridgedStage, python, to, type Wish } from "./stage.ts";

/** How much of it. */
export interface Extent {
  /** How many zones are made and deleted in all in the concurrent test. */
  readonly zones: number;
  /** How many invocations are killed. */
  readonly kills: number;
}

export function hostCases(stage: BridgedStage, { zones, kills }: Extent): void {
  describe("the host", () => {
    const wish: Wish = { egress: ["0.0.0.0/0:80"] };

    test(
      "forwards for zones and for nobody else, and not at all when they have gone",
      async () => {
        const before = stage.world.state();
        stage.world.insideDo(
          "ip link add far0 type veth peer name far1; ip addr add 203.0.113.1/24 dev far0; ip link set far0 up; ip link set far1 up",
        );
        stage.world.outsideDo(`ip route add 203.0.113.0/24 via ${inside}`);
        const asked = stage.world.state();
        const zone = await stage.listeningZone("router", wish);
        expect(
          stage.world.insideDo("cat /proc/sys/net/ipv4/conf/up0/forwarding /proc/sys/net/ipv4/conf/all/forwarding"),
        ).toBe("1\n0\n");
        const [chain] = /chain forward \{[^}]*\}/.exec(stage.world.insideDo("nft list table ip rauha")) ?? [""];
        expect(chain).toContain("iifname @switched drop");
        // A packet from outside for a network behind the host: it may come in, since the device forwards now, and goes nowhere.
        stage.world.insideDo(
          "nft add table ip watch; nft add chain ip watch c '{ type filter hook postrouting priority 300; }'; nft add rule ip watch c ip daddr 203.0.113.50 counter",
        );
        stage.world.outsideDo(
          `${python} -c 'import socket; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); [s.sendto(b"x",("203.0.113.50",9)) for _ in range(5)]'`,
        );
        await Bun.sleep(100);
        expect(stage.world.insideDo("nft list table ip watch")).toContain("counter packets 0 bytes 0");
        stage.world.insideDo("nft delete table ip watch");
        await zone[Symbol.asyncDispose]();
        expect(stage.world.state()).toEqual(asked);
        stage.world.insideDo("ip link del far0");
        stage.world.outsideDo("ip route del 203.0.113.0/24");
        expect(stage.world.state()).toEqual(before);
      },
      patient(20_000),
    );

    stage.more("keeps rules of others, and a forwarding that was on", async () => {
      stage.world.insideDo(
        "nft add table inet mine; nft add chain inet mine c '{ type filter hook forward priority 5; policy accept; }'; nft add rule inet mine c counter; sysctl -qw net.ipv4.conf.up0.forwarding=1",
      );
      const before = stage.world.state();
      expect(Object.values(await stage.tryBridged(wish, to(publicAddress, 80)))).toEqual(["OK"]);
      const after = stage.world.state();
      const counted = (text = "") => text.replaceAll(/packets \d+ bytes \d+/g, "");
      expect({ ...after, rules: counted(after["rules"]) }).toEqual({ ...before, rules: counted(before["rules"]) });
      stage.world.insideDo("nft delete table inet mine; sysctl -qw net.ipv4.conf.up0.forwarding=0");
    });

    stage.more(
      "leaves forwarding as it is that someone switched on for all meanwhile, and steps out of the way",
      async () => {
        const guarded = () => stage.world.insideDo("nft list set ip rauha switched").includes("up0");
        const forwarding = () => stage.world.insideDo("cat /proc/sys/net/ipv4/conf/up0/forwarding").trim();
        {
          await using _zone = await stage.listeningZone("first", wish);
          expect(guarded()).toBe(true);
          stage.world.insideDo("sysctl -qw net.ipv4.conf.all.forwarding=1");
          await using _second = await stage.listeningZone("second", wish);
          expect(guarded()).toBe(false);
        }
        expect(forwarding()).toBe("1");
        {
          await using _zone = await stage.listeningZone("third", wish);
          stage.world.insideDo("sysctl -qw net.ipv4.conf.all.forwarding=0");
        }
        expect(forwarding()).toBe("0");
      },
    );

    stage.more("says it when the zones' network is taken, and makes nothing", async () => {
      stage.world.insideDo("ip route add 10.89.5.0/24 dev up0");
      const before = stage.world.state();
      const { exitCode, result } = await stage.world.sandbox(stage.policy("taken", wish), ["true"]);
      expect(exitCode).toBe(125);
      expect(result.error?.message).toContain("the host has a route to 10.89.5.0/24 by up0");
      expect(result.error?.stage).toBe("net");
      expect(stage.world.state()).toEqual(before);
      stage.world.insideDo("ip route del 10.89.5.0/24 dev up0");
    });

    test(
      "is as before after a killed invocation and the next one, whenever the kill came",
      async () => {
        const before = stage.world.state();
        let killedRunning = 0;
        for (let round = 0; round < kills; round++) {
          const child = stage.world.start(stage.policy("killed", { ...wish, zones: ["killed"] }), ["sleep", "60"]);
          await Bun.sleep(patient((round * 96) / kills));
          // Rauha itself, or the launcher below it, if there is one by now.
          const below = stage.world.insideDo(`pgrep -P ${child.pid} || true`).trim().split("\n")[0] ?? "";
          killedRunning += stage.world.insideDo("ls /run/rauha/addresses 2>/dev/null | wc -l") === "0\n" ? 0 : 1;
          process.kill(round % 2 === 0 || below === "" ? child.pid : Number(below), "SIGKILL");
          await child.exited;
        }
        expect(killedRunning).toBeGreaterThan(0);
        expect(Object.values(await stage.tryBridged(wish, to(publicAddress, 80)))).toEqual(["OK"]);
        expect(stage.world.state()).toEqual(before);
      },
      patient(120_000),
    );

    test(
      `is as before after ${zones} zones, eight at once`,
      async () => {
        const before = stage.world.state();
        const flags = stage.policy("many", { ...wish, zones: ["many"] });
        const seen: string[] = [];
        let left = zones;
        const worker = async (): Promise<void> => {
          while (left-- > 0) {
            const { result } = await stage.world.sandbox(flags, ["sh", "-c", "ip -o -4 addr show eth0"]);
            expect(result.error).toBeNull();
            seen.push(/10\.89\.\d+\.\d+/.exec(result.stdout ?? "")?.[0] ?? "none");
          }
        };
        await Promise.all(Array.from({ length: 8 }, worker));
        // Addresses rest before they are given again.
        expect(new Set(seen).size).toBe(zones);
        expect(seen).not.toContain("none");
        expect(stage.world.state()).toEqual(before);
      },
      patient(300_000),
    );
  });
}
