/** Bridged zones, and other bridged zones. */
import { describe, expect, test } from "bun:test";
import { patient } from "../../support/identity.ts";
import { PROBE, parseAnswers, probeBind } from "../../support/probe.ts";
import { type BridgedStage, refused, to, type Wish } from "./stage.ts";

export function neighbourCases(stage: BridgedStage): void {
  describe("zone and zone", () => {
    const all = { egress: ["0.0.0.0/0:*", "10.89.0.0/16:*"], ingress: ["0.0.0.0/0:*", "10.89.0.0/16:*"] };

    async function between(served: Wish, asking: Wish): Promise<string[]> {
      await using zone = await stage.listeningZone("alpha", served);
      const run = await stage.world.sandbox(
        [...stage.policy("beta", asking), ...probeBind],
        [PROBE, ...to(zone.address, 7000).split(" ")],
      );
      // The one that went left no way to the other, for whoever gets its address.
      expect(stage.world.insideDo("nft list set ip rauha pairs")).not.toContain("10.89.");
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
        await using zone = await stage.listeningZone("alpha", all);
        const script = `ip route add ${zone.address}/32 dev eth0 && ${PROBE} ${to(zone.address, 7000)}`;
        const admin = { ...all, capabilities: ["CAP_NET_ADMIN"] };
        const device = `rauha-${zone.address.split(".").slice(2).join("-")}`;
        const framesIn = () => stage.world.insideDo(`ip -s -s -o link show ${device}`);
        const before = framesIn();
        const run = await stage.world.sandbox([...stage.policy("beta", admin), ...probeBind], ["sh", "-c", script]);
        // Not even the question who has the address came there.
        expect(framesIn()).toBe(before);
        // Nobody answers: whether the kernel or the probe gives up first.
        const [answer] = parseAnswers(run.result.stdout ?? "");
        expect(["EHOSTUNREACH", "ETIMEDOUT"]).toContain(answer?.outcome ?? "none");
      },
      patient(20_000),
    );
  });
}
