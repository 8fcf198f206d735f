import type { Origin } from "../../diagnostic.ts";
import { policyOrigin } from "../../policy/policy.ts";
import { signalName } from "../../report/signals.ts";
import { addOp, keep, notRequested, type PlanDraft, zoneOrigin } from "../draft.ts";

/** A limit that someone asked for, with the place that asked. */
export interface Wanted {
  readonly value: number;
  readonly origin: Origin;
}

/** RLIMIT_* of getrlimit(2), x86-64 and aarch64. */
export const rlimit = { cpu: 0, fsize: 1, data: 2, core: 4, nproc: 6, nofile: 7, as: 9, sigpending: 11 } as const;

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

/** Limits of each process: the key of the policy and the flag share the name, request and policy the field. */
const rlimitFields = {
  cpu: "cpuSeconds",
  as: "asBytes",
  fsize: "fsizeBytes",
  nofile: "nofile",
  core: "coreBytes",
} as const;
type RlimitName = keyof typeof rlimitFields;

/** Time between SIGTERM and SIGKILL when a zone runs out of wall-clock time or is cancelled. */
const graceMs = 5000;
const SIGTERM = 15;
/**
 * Signals that may wait for the zone's processes, and timers that send one. They count for the caller on the host as well: a task
 * that took all it could would leave none to the caller's other programs.
 */
const queuedSignals = 4096;

/**
 * Inotify instances and watches of a zone. The kernel counts them for the caller on the host as well, who has 128 instances as a rule:
 * a task that took all it could would leave none to the caller's other programs.
 */
const userLimits = { max_inotify_instances: "64", max_inotify_watches: "65536" } as const;

/** Wall clock and rlimits; the cgroup's limits are in section `cgroup`. */
export function planLimits(draft: PlanDraft): void {
  const { policy, request } = draft;
  const wall = wanted(draft, "--timeout", request.timeoutMs, "limits.walltime", policy.limits.walltimeMs);
  const wallMs = wall?.value ?? 0;
  const origin = wall?.origin ?? policyOrigin(policy, "limits.walltime");
  const signal = request.image?.stopSignal ?? SIGTERM;
  const first = signalName(signal);
  const words = wallMs === 0 ? "no wall-clock limit" : `${first} after ${wallMs} ms, SIGKILL ${graceMs} ms later`;
  const op = addOp(draft, { op: "timeout", wall_ms: wallMs, grace_ms: graceMs, signal }, origin, words);
  if (wallMs === 0) notRequested(draft, "wall_clock");
  else keep(draft, "wall_clock", "timer", [op]);
  for (const name of Object.keys(rlimitFields) as RlimitName[]) planRlimit(draft, name);
  const signals = {
    op: "rlimit",
    resource: rlimit.sigpending,
    soft: queuedSignals,
    hard: queuedSignals,
    clamp: 1,
  } as const;
  addOp(draft, signals, zoneOrigin("limits"), `at most ${queuedSignals} queued signals`);
  if (!draft.ownUserNamespace) return;
  for (const [name, value] of Object.entries(userLimits)) {
    const path = `/proc/sys/user/${name}`;
    addOp(draft, { op: "user_limit", path, value }, zoneOrigin("limits"), `${path} of the zone's own: ${value}`);
  }
}

function planRlimit(draft: PlanDraft, name: RlimitName): void {
  const field = rlimitFields[name];
  const key = `limits.${name}`;
  const limit = wanted(draft, `--limit-${name}`, draft.request.limits[field], key, draft.policy.limits[field]);
  if (limit === null) {
    notRequested(draft, `rlimit_${name}`);
    return;
  }
  // SIGXCPU comes at the soft limit, SIGKILL at the hard one: a second in between lets a program say why it stops.
  const hard = name === "cpu" ? limit.value + 1 : limit.value;
  const op = { op: "rlimit", resource: rlimit[name], soft: limit.value, hard, clamp: 1 } as const;
  // A lower hard limit of the caller's is kept (`clamp`): less than asked is still within what was asked.
  addOp(draft, op, limit.origin, `${key} ${limit.value}`);
  keep(draft, `rlimit_${name}`, "rlimit", []);
}
