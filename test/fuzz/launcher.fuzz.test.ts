import { describe, expect, test } from "bun:test";
import { type PlanOp, planHeaderBytes, stages } from "../../src/run/plan/contract.ts";
import { encodePlan } from "../../src/run/plan/encode.ts";
import { launchBytes } from "../native/launch.ts";
import { plan } from "../native/plans.ts";
import { fuzzTimeoutMs, seeds } from "./seeds.ts";

/**
 * The launcher's decoder against broken plans: whatever comes, it ends by itself, without a signal, with a report that is one.
 * The plans start with what must fail before anything happens (a cgroup below a missing directory), so that a mutation that is
 * still a plan does no harm.
 */

function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

/** Never a zone: its cgroup's parent is missing, and that comes first. */
const harmless: PlanOp[] = plan({
  runner: "user",
  argv: ["true", "", "x".repeat(300)],
  before: [{ op: "cgroup", path: "/nonexistent/rauha/fuzz", kind: 0 }],
});
const source = encodePlan(harmless);

/** Some bytes changed, cut out, doubled or swapped for numbers that break things; the header told the truth mostly. */
function mutate(random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(source);
  for (let rounds = 1 + random(4); rounds > 0; rounds--) {
    const at = planHeaderBytes + random(bytes.length - planHeaderBytes);
    const length = Math.min(1 + random(40), bytes.length - at);
    switch (random(5)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
        break;
      default:
        if (at + 4 <= bytes.length) bytes.writeUInt32LE([0, 1, 0xff, 0x7fffffff, 0xffffffff][random(5)] ?? 0, at);
    }
  }
  if (random(10) > 0) bytes.writeUInt32LE(bytes.length, planHeaderBytes - 4);
  if (random(10) === 0) bytes.writeUInt32LE(random(harmless.length + 3), planHeaderBytes - 8);
  return bytes;
}

describe("broken plans", () => {
  test(
    "are refused, or fail for their first reason, and never crash the launcher",
    async () => {
      for (const seed of seeds(600)) {
        const run = await launchBytes(mutate(randomOf(seed)), { runner: "user" });
        const failed = run.all("failed")[0];
        const outcome = { seed, exitCode: run.exitCode, signal: run.signal, errors: run.errors };
        expect(outcome).toEqual({ seed, exitCode: 0, signal: null, errors: "" });
        expect(run.records.at(-1)?.record, `seed ${seed}`).toBe("cleaned");
        expect(["decode", "cgroup", "cleanup"], `seed ${seed}`).toContain(stages[failed?.stage ?? -1] ?? "none");
      }
    },
    fuzzTimeoutMs,
  );
});
