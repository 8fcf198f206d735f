import type { Diagnostic, ErrorCode, Origin } from "../diagnostic.ts";
import type { HostFacts } from "../host-facts.ts";
import type { Policy } from "../policy/policy.ts";
import type { SandboxRequest } from "../request.ts";
import { allowedOnView } from "../seccomp/view-calls.ts";
import type { ZoneFilter } from "../seccomp/zone-compile.ts";
import type { PlanOp } from "./contract.ts";
import type { EnforcedName, enforcement } from "./enforcement.ts";
import { mechanismLines } from "./mechanism-words.gen.ts";
import type { NetworkPart } from "./network/part.ts";
import type { GuaranteeName, PlannedGuarantee, PlannedOp } from "./plan.ts";

/** The inputs of a plan. */
export interface PlanInputs {
  readonly request: SandboxRequest;
  readonly policy: Policy;
  readonly facts: HostFacts;
  /** Follows from policy and facts, and is made where a plan is not ready (ready.ts): that loads more code. Given, it is the one to be used. */
  readonly filter?: ZoneFilter | undefined;
  /** What the network's mode adds; absent for mode none. */
  readonly network?: NetworkPart | undefined;
  /** Given where BPF-LSM programs of ours are pinned and this run uses them. */
  readonly lsm?: LsmZone | undefined;
}

/** What a plan must know of a zone that BPF-LSM programs guard. */
export interface LsmZone {
  /** Directory of the zone's cgroup on the unified hierarchy, which is its identity: made, and entered in the maps, before the zone starts. */
  readonly cgroup: string;
}

/** What the planner itself goes by. */
export interface WholeInputs extends PlanInputs {
  readonly filter: ZoneFilter;
}

/**
 * A plan in the making: sections add ops in the order in which the launcher executes them, promises about them, and
 * everything that stands in the way. Nothing is thrown: a caller sees all problems at once.
 */
export interface PlanDraft extends WholeInputs {
  readonly ops: PlannedOp[];
  readonly guarantees: PlannedGuarantee[];
  readonly problems: Diagnostic[];
  readonly warnings: Diagnostic[];
  /** Where the zone has a scratch directory so far: looked up for each one more, among ops that are many. */
  readonly scratches: Set<string>;
  /** Whether the zone has a user namespace of its own: always, but for a privileged policy run by root. */
  readonly ownUserNamespace: boolean;
}

/** Adds an op and returns its index, for the guarantee that rests on it. */
export function addOp(draft: PlanDraft, op: PlanOp, origin: Origin, intent: string): number {
  draft.ops.push({ op, origin, intent });
  return draft.ops.length - 1;
}

/** Promises something that `ops` keep. */
export function promise(draft: PlanDraft, name: GuaranteeName, mechanism: string, ops: readonly number[]): void {
  draft.guarantees.push({ name, state: "enforced", mechanism, ops });
}

/** Promises something by one of the mechanisms of the enforcement table; `detail` adds what is particular to this zone. */
export function keep<N extends EnforcedName>(
  draft: PlanDraft,
  name: N,
  means: keyof (typeof enforcement)[N]["means"],
  ops: readonly number[],
  detail = "",
): void {
  promise(draft, name, `${mechanismWords(`${name}.${String(means)}`)}${detail}`, ops);
}

/** What enforces a promise, in words: those of docs/enforcement.md. */
function mechanismWords(which: string): string {
  const key = `\n${which}=`;
  const at = mechanismLines.indexOf(key) + key.length;
  return at < key.length ? "" : mechanismLines.slice(at, mechanismLines.indexOf("\n", at));
}

/** Says that nobody asked for this. */
export function notRequested(draft: PlanDraft, name: GuaranteeName): void {
  draft.guarantees.push({ name, state: "not_requested", mechanism: null, ops: [] });
}

/** Says that this does not hold here, and why. Only for what no rule asked for: an unenforceable rule is `refuse`d. */
export function unavailable(draft: PlanDraft, name: GuaranteeName, why: string): void {
  draft.guarantees.push({ name, state: "unavailable", mechanism: why, ops: [] });
}

/** A promise about the view. It is taken back where the policy grants the task what undoes mounts: the result must not say otherwise. */
export function keepView<N extends EnforcedName>(
  draft: PlanDraft,
  name: N,
  means: keyof (typeof enforcement)[N]["means"],
  ops: readonly number[],
): void {
  const calls = allowedOnView(draft.policy);
  if (calls.length === 0) keep(draft, name, means, ops);
  else
    unavailable(
      draft,
      name,
      `the policy allows ${calls.join(", ")} with CAP_SYS_ADMIN, which undo masks and read-only mounts`,
    );
}

/** Records a reason not to run. */
export function refuse(draft: PlanDraft, code: ErrorCode, message: string, origin: Origin, hint?: string): void {
  draft.problems.push({ code, message, origin, hint });
}

/** The origin of what every zone is made of. */
export function zoneOrigin(what: string): Origin {
  return { kind: "zone", what };
}
