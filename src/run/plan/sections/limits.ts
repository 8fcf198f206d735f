import type { Origin } from "../../diagnostic.ts";
import { type Policy, policyOrigin } from "../../policy/policy.ts";
import type { RequestLimits } from "../../request.ts";
import { addOp, keep, notRequested, type PlanDraft } from "../draft.ts";

/** A limit that someone asked for, with the place that asked. */
export interface Wanted {
  readonly value: number;
  readonly origin: Origin;
}

/** RLIMIT_* of getrlimit(2), x86-64 and aarch64. */
export const rlimit = { cpu: 0, fsize: 1, data: 2, core: 4, nproc: 6, nofile: 7, as: 9 } as const;

/** The flag's value where there is one, else the policy's; null when neither asks. */
export function wanted(
  draft: PlanDraft,
  flag: string,
  flagValue: number | undefined,
  key: string,
  policyValue: number | null,
): Wanted | null {
  if (flagValue !== undefined) return { value: flagValue, origin: { kind: "flag", flag } };
  if (policyValue !== null) return { value: policyValue, origin: policyOrigin(draft.policy, key) };
  return null;
}

interface RlimitRule {
  readonly guarantee: `rlimit_${"cpu" | "as" | "fsize" | "nofile" | "core"}`;
  readonly resource: number;
  readonly flag: string;
  readonly key: string;
  readonly ofRequest: (limits: RequestLimits) => number | undefined;
  readonly ofPolicy: (limits: Policy["limits"]) => number | null;
}

const rlimitRules: readonly RlimitRule[] = [
  {
    guarantee: "rlimit_cpu",
    resource: rlimit.cpu,
    flag: "--limit-cpu",
    key: "limits.cpu",
    ofRequest: (limits) => limits.cpuSeconds,
    ofPolicy: (limits) => limits.cpuSeconds,
  },
  {
    guarantee: "rlimit_as",
    resource: rlimit.as,
    flag: "--limit-as",
    key: "limits.as",
    ofRequest: (limits) => limits.asBytes,
    ofPolicy: (limits) => limits.asBytes,
  },
  {
    guarantee: "rlimit_fsize",
    resource: rlimit.fsize,
    flag: "--limit-fsize",
    key: "limits.fsize",
    ofRequest: (limits) => limits.fsizeBytes,
    ofPolicy: (limits) => limits.fsizeBytes,
  },
  {
    guarantee: "rlimit_nofile",
    resource: rlimit.nofile,
    flag: "--limit-nofile",
    key: "limits.nofile",
    ofRequest: (limits) => limits.nofile,
    ofPolicy: (limits) => limits.nofile,
  },
  {
    guarantee: "rlimit_core",
    resource: rlimit.core,
    flag: "--limit-core",
    key: "limits.core",
    ofRequest: (limits) => limits.coreBytes,
    ofPolicy: (limits) => limits.coreBytes,
  },
];

/** Time between SIGTERM and SIGKILL when a zone runs out of wall-clock time or is cancelled. */
const graceMs = 5000;

/** Wall clock and rlimits; the cgroup's limits are in section `cgroup`. */
export function planLimits(draft: PlanDraft): void {
  const { policy, request } = draft;
  const wall = wanted(draft, "--timeout", request.timeoutMs, "limits.walltime", policy.limits.walltimeMs);
  const wallMs = wall?.value ?? 0;
  const origin = wall?.origin ?? policyOrigin(policy, "limits.walltime");
  const words = wallMs === 0 ? "no wall-clock limit" : `SIGTERM after ${wallMs} ms, SIGKILL ${graceMs} ms later`;
  const op = addOp(draft, { op: "timeout", wall_ms: wallMs, grace_ms: graceMs }, origin, words);
  if (wallMs === 0) notRequested(draft, "wall_clock");
  else keep(draft, "wall_clock", "timer", [op]);
  for (const rule of rlimitRules) planRlimit(draft, rule);
}

function planRlimit(draft: PlanDraft, rule: RlimitRule): void {
  const limit = wanted(
    draft,
    rule.flag,
    rule.ofRequest(draft.request.limits),
    rule.key,
    rule.ofPolicy(draft.policy.limits),
  );
  if (limit === null) {
    notRequested(draft, rule.guarantee);
    return;
  }
  // SIGXCPU comes at the soft limit, SIGKILL at the hard one: a second in between lets a program say why it stops.
  const hard = rule.resource === rlimit.cpu ? limit.value + 1 : limit.value;
  const op = { op: "rlimit", resource: rule.resource, soft: limit.value, hard, clamp: 1 } as const;
  // A lower hard limit of the caller's is kept (`clamp`): less than asked is still within what was asked.
  addOp(draft, op, limit.origin, `${rule.key} ${limit.value}`);
  keep(draft, rule.guarantee, "rlimit", []);
}
