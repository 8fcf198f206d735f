import { newDraft, planBoundaries, planFrom } from "./assemble.ts";
import type { PlanDraft, WholeInputs } from "./draft.ts";
import type { PlanOutcome } from "./plan.ts";
import {
  planDenied,
  planHostRoot,
  planOwnFiles,
  planRequestView,
  planStore,
  planSurroundings,
} from "./sections/filesystem.ts";
import { planImageRoot } from "./sections/image.ts";
import { planLandlock } from "./sections/landlock.ts";
import { planLimits } from "./sections/limits.ts";
import { planNetwork } from "./sections/network.ts";
import { planPivot } from "./sections/pivot.ts";
import { planCapabilities, planIdentity } from "./sections/privileges.ts";
import { planSeccomp } from "./sections/seccomp.ts";
import { planSelfTest } from "./sections/self-test.ts";
import { planTask } from "./sections/task.ts";
import { planWorkspace } from "./sections/workspace.ts";

/**
 * Decides everything about a zone: which mechanism enforces which rule, what is refused. Pure: the same inputs give the
 * same plan. The order of the sections is the order in which the launcher does things, from outside to inside:
 * boundaries, filesystem, limits, privileges, and the task last. `planReady` (ready.ts) goes the same way.
 */
export function plan(inputs: WholeInputs): PlanOutcome {
  const draft = newDraft(inputs);
  planBoundaries(draft);
  if (inputs.request.image === undefined) planHostRoot(draft);
  else {
    planStore(draft);
    planImageRoot(draft);
  }
  planOwnFiles(draft);
  planSurroundings(draft);
  planRequestView(draft);
  planWorkspace(draft);
  planView(draft);
  planIdentity(draft);
  planLocks(draft);
  planCalls(draft);
  planTask(draft);
  if (draft.problems.length > 0) return { ok: false, diagnostics: draft.problems };
  return { ok: true, plan: planFrom(draft, { profile: draft.filter.profile, deny: inputs.policy.syscalls.deny }) };
}

/** What ends the view, and what surrounds the task: denied paths, the pivot, network and limits. */
export function planView(draft: PlanDraft): void {
  planDenied(draft);
  planPivot(draft);
  planNetwork(draft);
  planLimits(draft);
}

/** What the task may do. */
export function planLocks(draft: PlanDraft): void {
  planCapabilities(draft);
  planLandlock(draft);
}

/** What the task may call; and the trial of it all. */
export function planCalls(draft: PlanDraft): void {
  planSeccomp(draft);
  planSelfTest(draft);
}
