/** What BPF-LSM programs denied, in the public result. */
import { describe, expect, test } from "bun:test";
import type { BackendEvent } from "../../../src/run/backend-event.ts";
import { delegatedFacts, planned } from "../plan/inputs.ts";
import { cleaned, ended, resultOf, started } from "./run.ts";

const facts = { ...delegatedFacts, bpfLsm: { ok: true } } as const;
const plan = planned({ facts, lsm: { cgroup: "/sys/fs/cgroup/user.slice/app.slice/rauha-zone_2233" } });
const at = Date.UTC(2026, 0, 2, 3, 4, 5) + 20;
const denial: BackendEvent = {
  at,
  record: "lsm_denied",
  hook: "file_open",
  action: "open",
  decision: "deny",
  message: "open /etc/shadow denied: EACCES",
  pid: 42,
  comm: "cat",
  targetZone: "zone_other",
  object: "/etc/shadow",
  why: "it belongs to another zone",
  policyKey: "network.allowed_zones",
};
const run = (...after: BackendEvent[]) => resultOf(plan, [started, ended(), cleaned, ...after]).result;

describe("denials of BPF-LSM programs", () => {
  test("are enforcement events with the keys of the contract", () => {
    expect(run(denial).enforcement_events).toEqual([
      {
        timestamp: new Date(at).toISOString(),
        hook: "file_open",
        action: "open",
        decision: "deny",
        message: "open /etc/shadow denied: EACCES",
        pid: 42,
        comm: "cat",
        source_zone: plan.zoneId,
        target_zone: "zone_other",
        object: "/etc/shadow",
        why: "it belongs to another zone",
        policy_key: "network.allowed_zones",
      },
    ]);
  });

  test("have no policy key where none would allow it", () => {
    const [event] = run({ ...denial, policyKey: undefined } as BackendEvent).enforcement_events;
    expect(event).not.toHaveProperty("policy_key");
  });

  test("are events of the run as well, at the time when they were", () => {
    const events = run(denial).events.filter((event) => event["event.name"] === "rauha.enforcement.deny");
    expect(events).toMatchObject([
      {
        "event.kind": "enforcement",
        "event.outcome": "denied",
        hook: "file_open",
        timestamp: new Date(at).toISOString(),
      },
    ]);
  });

  test("come after the end and do not move it", () => {
    expect(run(denial).finished_at).toBe(run().finished_at);
  });

  test("that were only counted make the report partial, and say how many", () => {
    const result = run(denial, { at, record: "lsm_dropped", count: 7 });
    expect(result.enforcement.trust_level).toBe("partial");
    expect(result.events).toContainEqual(
      expect.objectContaining({
        "event.name": "rauha.enforcement.deny.dropped",
        degraded_reason: "7 more denied calls were counted, not listed",
      }),
    );
  });
});

test("the result lists the programs among what decided", () => {
  expect(run().enforcement).toMatchObject({ lsm: ["bpf-lsm", "landlock"], trust_level: "complete" });
});
