import type { CallRules } from "../seccomp/describe.ts";
import type { PlanDraft, WholeInputs } from "./draft.ts";
import type { Plan } from "./plan.ts";
import { planCgroup } from "./sections/cgroup.ts";
import { planIdMaps } from "./sections/identity.ts";
import { lsmNames, planLsm } from "./sections/lsm.ts";
import { planNamespaces } from "./sections/namespaces.ts";

/** A plan with nothing in it yet. */
export function newDraft(inputs: WholeInputs): PlanDraft {
  const { policy, facts } = inputs;
  return {
    ...inputs,
    ops: [],
    guarantees: [],
    problems: [],
    warnings: [],
    scratches: new Set(),
    ownUserNamespace: !(policy.zone.type === "privileged" && facts.privileged),
  };
}

/** What is there before the zone's tree: namespaces, ids, cgroups, and the kernel's own view of the zone. */
export function planBoundaries(draft: PlanDraft): void {
  planNamespaces(draft);
  planIdMaps(draft);
  planCgroup(draft);
  planLsm(draft);
}

/** A draft without problems, as a plan. */
export function planFrom(draft: PlanDraft, callRules: CallRules): Plan {
  const { request, policy, facts } = draft;
  return {
    taskId: request.taskId,
    zoneId: request.zoneId,
    command: request.command,
    commandHash: request.commandHash,
    backend: { name: facts.platform, platform: facts.platform },
    policy: { name: policy.name, hash: policy.hash },
    image: request.image === undefined ? null : { reference: request.image.reference, digest: request.image.digest },
    isolation: "zone",
    ops: draft.ops,
    guarantees: draft.guarantees,
    lsm: lsmNames(draft),
    seccomp: true,
    egress: draft.network?.egress,
    callRules,
    warnings: draft.warnings,
  };
}
