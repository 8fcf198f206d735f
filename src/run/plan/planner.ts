import type { PlanDraft, PlanInputs } from "./draft.ts";
import { addOp, zoneOrigin } from "./draft.ts";
import type { PlanOutcome } from "./plan.ts";
import { planCgroup } from "./sections/cgroup.ts";
import { planFilesystem } from "./sections/filesystem.ts";
import { planIdMaps } from "./sections/identity.ts";
import { planLandlock } from "./sections/landlock.ts";
import { planLimits } from "./sections/limits.ts";
import { lsmNames, planLsm } from "./sections/lsm.ts";
import { planNamespaces } from "./sections/namespaces.ts";
import { planNetwork } from "./sections/network.ts";
import { planPrivileges } from "./sections/privileges.ts";
import { planSeccomp } from "./sections/seccomp.ts";
import { planSelfTest } from "./sections/self-test.ts";
import { planTask } from "./sections/task.ts";

/**
 * Decides everything about a zone: which mechanism enforces which rule, what is refused. Pure: the same inputs give the
 * same plan. The order of the sections is the order in which the launcher does things, from outside to inside:
 * boundaries, filesystem, limits, privileges, and the task last.
 */
export function plan(inputs: PlanInputs): PlanOutcome {
  const { request, policy, facts } = inputs;
  const draft: PlanDraft = {
    ...inputs,
    ops: [],
    guarantees: [],
    problems: [],
    warnings: [],
    scratches: new Set(),
    ownUserNamespace: !(policy.zone.type === "privileged" && facts.privileged),
  };
  planNamespaces(draft);
  planIdMaps(draft);
  planCgroup(draft);
  planLsm(draft);
  planFilesystem(draft);
  const [readOnly, words] = request.image === undefined ? [1, "the root read-only"] : [0, "the image is the root"];
  addOp(draft, { op: "pivot", read_only_root: readOnly }, zoneOrigin("root"), `the host's tree is gone, ${words}`);
  planNetwork(draft);
  planLimits(draft);
  planPrivileges(draft);
  planLandlock(draft);
  planSeccomp(draft);
  planSelfTest(draft);
  planTask(draft);
  if (draft.problems.length > 0) return { ok: false, diagnostics: draft.problems };
  return {
    ok: true,
    plan: {
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
      callRules: { profile: draft.filter.profile, deny: policy.syscalls.deny },
      warnings: draft.warnings,
    },
  };
}
