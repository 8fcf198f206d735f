import { policyOrigin } from "../../policy/policy.ts";
import { cgroupKind } from "../contract.ts";
import { addOp, keep, type PlanDraft, refuse, unavailable, zoneOrigin } from "../draft.ts";
import type { Plan } from "../plan.ts";

/**
 * The kernel's own view of the zone: BPF-LSM programs that know it by its cgroup. Follows the cgroup section, which makes that cgroup
 * where limits need one on the unified hierarchy; without such limits it is made here, for identity alone.
 */
export function planLsm(draft: PlanDraft): void {
  const { facts, policy, lsm } = draft;
  if (lsm === undefined) {
    const why = facts.bpfLsm.ok ? "not used by this run" : facts.bpfLsm.reason;
    if (policy.enforcement.require === "bpf-lsm") {
      const message = `the policy requires bpf-lsm, which does not decide here: ${why}`;
      const origin = policyOrigin(policy, "enforcement.require");
      refuse(draft, "unenforceable", message, origin, "`rauha doctor` says what is missing");
    }
    unavailable(draft, "lsm_zone_boundary", why);
    return;
  }
  const { cgroup } = lsm;
  const made = draft.ops.findIndex(({ op }) => op.op === "cgroup" && op.path === cgroup);
  const intent = "the zone's identity for the BPF-LSM programs";
  const op =
    made >= 0
      ? made
      : addOp(draft, { op: "cgroup", path: cgroup, kind: cgroupKind.v2Given }, zoneOrigin("BPF-LSM"), intent);
  keep(draft, "lsm_zone_boundary", "bpfLsm", [op]);
}

/** The security modules that will decide for the zone. */
export function lsmNames({ facts, lsm }: PlanDraft): Plan["lsm"] {
  return [
    ...(lsm === undefined ? [] : (["bpf-lsm"] as const)),
    ...(facts.landlockAbi > 0 ? (["landlock"] as const) : []),
  ];
}
