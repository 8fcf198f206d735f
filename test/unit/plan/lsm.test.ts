import { describe, expect, test } from "bun:test";
import { cgroupKind } from "../../../src/run/plan/contract.ts";
import { delegatedFacts, planned, policyWith, refused, rootFacts } from "./inputs.ts";

const delegated = { ...delegatedFacts, bpfLsm: { ok: true } } as const;
const versionOne = { ...rootFacts, bpfLsm: { ok: true } } as const;
const limits = { cgroup: "/sys/fs/cgroup/user.slice/app.slice/rauha-zone_2233" };
const identity = { cgroup: "/sys/fs/cgroup/unified/rauha-zone_2233" };

function cgroups(plan: ReturnType<typeof planned>) {
  return plan.ops.flatMap(({ op }) => (op.op === "cgroup" ? [{ path: op.path, kind: op.kind }] : []));
}

function boundary(plan: ReturnType<typeof planned>) {
  return plan.guarantees.find(({ name }) => name === "lsm_zone_boundary");
}

describe("a zone that BPF-LSM programs guard", () => {
  test("has its identity in the cgroup of its limits, which is there already", () => {
    const plan = planned({ facts: delegated, lsm: limits });
    expect(cgroups(plan)).toEqual([{ path: limits.cgroup, kind: cgroupKind.v2Given }]);
    expect(boundary(plan)).toMatchObject({ state: "enforced", mechanism: "bpf-lsm" });
    expect(plan.lsm).toEqual(["bpf-lsm", "landlock"]);
  });

  test("has a cgroup for identity alone where limits are on version 1", () => {
    const plan = planned({ facts: versionOne, lsm: identity });
    expect(cgroups(plan).filter(({ kind }) => kind === cgroupKind.v2Given)).toEqual([
      { path: identity.cgroup, kind: cgroupKind.v2Given },
    ]);
    expect(cgroups(plan).filter(({ kind }) => kind === cgroupKind.v1)).not.toEqual([]);
  });

  test("the promise rests on the op that makes the cgroup", () => {
    const plan = planned({ facts: delegated, lsm: limits });
    const [op = -1] = boundary(plan)?.ops ?? [];
    expect(plan.ops[op]?.op).toMatchObject({ op: "cgroup", path: limits.cgroup });
  });

  test("may be required", () => {
    const policy = policyWith({ enforcement: { require: "bpf-lsm" } });
    expect(planned({ facts: delegated, lsm: limits, policy }).lsm).toContain("bpf-lsm");
  });
});

describe("a zone that they do not guard", () => {
  test("says why", () => {
    const plan = planned({ facts: delegatedFacts });
    expect(boundary(plan)).toEqual({
      name: "lsm_zone_boundary",
      state: "unavailable",
      mechanism: "not set up",
      ops: [],
    });
    expect(plan.lsm).toEqual(["landlock"]);
    expect(cgroups(plan).map(({ kind }) => kind)).toEqual([cgroupKind.v2]);
  });

  test("is refused where the policy requires them, with the reason and the key", () => {
    const policy = policyWith({ enforcement: { require: "bpf-lsm" } });
    expect(refused({ facts: delegatedFacts, policy })).toEqual([
      {
        code: "unenforceable",
        message: "the policy requires bpf-lsm, which does not decide here: not set up",
        origin: { kind: "policy", policy: "task", key: "enforcement.require" },
      },
    ]);
  });
});
