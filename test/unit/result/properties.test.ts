/** What holds of every result, whatever a backend reported and in whichever order: seeds are fixed, and a failure names its own. */
import { describe, expect, test } from "bun:test";
import type { BackendEvent } from "../../../src/run/backend-event.ts";
import type { EgressAttempt } from "../../../src/run/network/attempt.ts";
import { endCause } from "../../../src/run/plan/contract.ts";
import { signalName } from "../../../src/run/report/signals.ts";
import type { Result } from "../../../src/run/result/schema.ts";
import { delegatedFacts, planned, rootFacts, userFacts } from "../plan/inputs.ts";
import { Random } from "../policy/random.ts";
import { cleaned, ended, resultOf, started } from "./run.ts";

const plans = [userFacts, delegatedFacts, rootFacts].map((facts) =>
  planned({ facts, request: { limits: { cpuSeconds: 2 } } }),
);
const t0 = Date.UTC(2026, 0, 2, 3, 4, 5);

interface Made {
  readonly seed: number;
  readonly events: readonly BackendEvent[];
  readonly result: Result;
  readonly exitCode: number;
  readonly planned: (typeof plans)[number];
}

const rounds: readonly Made[] = Array.from({ length: 1500 }, (_, index) => {
  const random = new Random(index + 1);
  const plan = random.pick(plans);
  const events = randomEvents(random, plan.ops.length);
  return { seed: index + 1, events, planned: plan, ...resultOf(plan, events) };
});

function randomEvents(random: Random, ops: number): BackendEvent[] {
  const at = () => t0 + random.int(6, 49);
  const happened: BackendEvent[] = [];
  const setUp = random.chance(0.85);
  if (random.chance(0.2))
    happened.push({ at: at(), record: "skipped", op: random.int(0, ops + 2), errno: 2, step: "x" });
  if (random.chance(0.1)) happened.push({ at: at(), record: "cancelled", signal: random.pick([2, 15]) });
  if (!setUp) {
    happened.push({
      at: at(),
      record: "failed",
      stage: random.int(0, 14),
      op: random.pick([0, ops - 1, 0xffff_ffff]),
      errno: random.pick([0, 1, 2, 13, 28]),
      step: "s",
      detail: "d",
    });
    return random.chance(0.9) ? [...happened, cleaned] : happened;
  }
  const args = new Uint8Array(48);
  for (const denial of random.list(3, () => random.pick(["call", "lsm", "egress"] as const))) {
    if (denial === "call")
      happened.push({
        at: at(),
        record: "denied",
        nr: random.int(0, 460),
        arch: 0xc000_003e,
        pid: 7,
        comm: "sh",
        object: random.pick(["", "/x"]),
        args,
      });
    if (denial === "lsm")
      happened.push({
        at: at(),
        record: "lsm_denied",
        hook: "file_open",
        action: "open",
        decision: "deny",
        message: "m",
        pid: 7,
        comm: "",
        targetZone: null,
        object: null,
        why: "w",
        policyKey: undefined,
      });
    if (denial === "egress") happened.push({ at: at(), record: "egress", attempt: attempt(random) });
  }
  if (random.chance(0.1)) happened.push({ at: at(), record: "denials_dropped", count: random.int(1, 9) });
  if (random.chance(0.1)) happened.push({ at: at(), record: "egress_dropped", count: random.int(1, 9) });
  if (random.chance(0.05)) happened.push({ at: at(), record: "egress_lost", detail: "gone" });
  const bytes = random.pick([
    [104, 105],
    [0xff, 0xfe],
    [0xe2, 0x82],
  ]);
  if (random.chance(0.5))
    happened.push({ at: at(), record: "output", stream: random.int(1, 2), data: Uint8Array.from(bytes) });
  const status = random.pick([0, 0, 1 << 8, 124 << 8, 125 << 8, 137 << 8, 255 << 8, 9, 15, 11 | 0x80, 24, 25, 34]);
  const cause = random.pick([endCause.none, endCause.none, ...Object.values(endCause)]);
  const end = ended({
    status,
    cause,
    stdout_bytes: random.int(2, 4),
    stderr_bytes: 2,
    user_us: random.pick([3000, 2_500_000]),
  });
  // Each source tells its own in order, one after the other.
  happened.sort((a, b) => (a.record === b.record ? a.at - b.at : a.record < b.record ? -1 : 1));
  const whole = [
    started,
    ...happened,
    ...(random.chance(0.95) ? [end] : [{ at: t0 + 51, record: "lost", detail: "gone" } as const]),
  ];
  return random.chance(0.95) ? [...whole, cleaned] : whole;
}

function attempt(random: Random): EgressAttempt {
  const decision = random.pick(["allow", "deny"] as const);
  return {
    decision,
    protocol: random.pick(["tcp", "udp", "icmp", "dns", "other"] as const),
    name: random.pick([null, "example.org"]),
    address: random.pick([null, "192.0.2.1", "2001:db8::1"]),
    port: random.pick([null, 443]),
    why: "w",
    policyKey: random.pick([null, "network.allowed_domains"]),
    sentBytes: random.pick([null, 5]),
    receivedBytes: null,
    durationMs: random.pick([null, 1.4]),
    error: random.pick([0, 110]),
  };
}

function each(check: (made: Made) => void): void {
  for (const made of rounds) {
    try {
      check(made);
    } catch (error) {
      throw new Error(`seed ${made.seed}`, { cause: error });
    }
  }
}

describe("every result", () => {
  // That each fits the schema is checked where it is made.
  test("has a status, a cause and codes that belong together", () => {
    each(({ result, exitCode }) => {
      const { status, cause, exit_code, signal } = result;
      expect(exit_code !== null && signal !== null).toBe(false);
      if (status === "succeeded") expect([cause, exit_code, exitCode]).toEqual(["exit", 0, 0]);
      if (status === "timed_out") expect([cause, exitCode]).toEqual(["timeout", 124]);
      if (status === "runtime_error") {
        expect(["setup", "cancelled", "policy"]).toContain(cause);
        expect([exit_code, signal, exitCode === 0]).toEqual([null, null, false]);
        expect(result.error).not.toBeNull();
      }
      if (status === "failed") expect(exitCode).not.toBe(0);
      if (cause === "signal") expect([signal === null, exitCode > 128]).toEqual([false, true]);
      if (cause === "exit" && status === "failed") expect(exitCode).toBe(exit_code ?? -1);
      if (cause === "file_size_limit") expect(signal).toBe(signalName(25));
    });
  });

  test("of a task that Rauha did not start, says that nothing was enforced", () => {
    each(({ result, events }) => {
      const ran = events.some(({ record }) => record === "started");
      expect(result.enforcement.mode).toBe(ran ? "enforcing" : "unavailable");
      if (!ran) expect(result.guarantees.filter(({ state }) => state === "enforced")).toEqual([]);
      if (!ran) expect([result.enforcement.lsm, result.enforcement.seccomp]).toEqual([[], false]);
    });
  });

  test("calls itself complete only when every record came and none was left out", () => {
    each(({ result, events }) => {
      const has = (...names: string[]) => events.some(({ record }) => names.includes(record));
      if (result.enforcement.trust_level === "complete") {
        expect(has("ended")).toBe(true);
        expect(has("lost", "denials_dropped", "lsm_dropped", "egress_dropped", "egress_lost")).toBe(false);
      }
    });
  });

  test("lists every denial, and each but once", () => {
    each(({ result, events }) => {
      const denied = events.filter(
        (event) =>
          event.record === "denied" ||
          event.record === "lsm_denied" ||
          (event.record === "egress" && event.attempt.decision === "deny"),
      );
      expect(result.enforcement_events.length).toBe(denied.length);
      const words = result.events.filter((event) => event["event.outcome"] === "denied");
      expect(words.length).toBe(denied.length);
    });
  });

  test("has its denials and events in the order of time, from the zone's making to its end", () => {
    each(({ result, events }) => {
      const times = result.enforcement_events.map(({ timestamp }) => timestamp);
      expect(times).toEqual(times.toSorted());
      const denials = result.events.filter((event) => /deny$|egress|ingress/.test(event["event.name"]));
      const seen = denials
        .filter((event) => !event["event.name"].endsWith("dropped"))
        .map(({ timestamp }) => timestamp);
      expect(seen).toEqual(seen.toSorted());
      expect(result.events[0]?.["event.name"]).toBe("rauha.zone.create.started");
      if (events.at(-1)?.record === "cleaned")
        expect(result.events.at(-1)?.["event.name"]).toBe("rauha.sandbox.cleanup.succeeded");
    });
  });

  test("carries what the task wrote to the byte", () => {
    each(({ result, events }) => {
      for (const [stream, name] of [
        [1, "stdout"],
        [2, "stderr"],
      ] as const) {
        const written = Buffer.concat(
          events.flatMap((event) => (event.record === "output" && event.stream === stream ? [event.data] : [])),
        );
        const base64 = result[`${name}_base64`];
        const carried = base64 === undefined ? Buffer.from(result[name] ?? "") : Buffer.from(base64, "base64");
        const whole = written.subarray(0, result[`${name}_truncated`] ? carried.length : written.length);
        expect(carried.equals(whole)).toBe(true);
        // What a cap cut in two is at the most one character.
        expect(written.length - carried.length).toBeLessThan(4);
      }
    });
  });

  test("takes a promise back when one of its ops was passed over", () => {
    each(({ result, events, planned: plan }) => {
      const skipped = new Set(events.flatMap((event) => (event.record === "skipped" ? [event.op] : [])));
      for (const { name, ops } of plan.guarantees) {
        if (!ops.some((op) => skipped.has(op))) continue;
        expect([name, result.guarantees.find((made) => made.name === name)?.state]).toEqual([name, "unavailable"]);
      }
    });
  });

  test("measures nothing that was not measured", () => {
    each(({ result, events }) => {
      if (events.some(({ record }) => record === "ended")) return;
      for (const [name, value] of Object.entries(result.usage)) expect([name, value]).toEqual([name, null]);
    });
  });
});
