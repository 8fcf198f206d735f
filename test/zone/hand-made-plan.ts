/**
 * Zones with a layer missing, which the product can't make: the planner's own plan for this host, less some of its ops, handed straight to
 * the launcher. So a test can show what each layer does alone.
 */
import { linuxBackend } from "../../src/linux/backend.ts";
import { mountFlag, type PlanOp, verifyCheck } from "../../src/run/plan/contract.ts";
import { plan } from "../../src/run/plan/planner.ts";
import type { Policy } from "../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../src/run/policy/shipped.gen.ts";
import type { ViewEntry } from "../../src/run/request.ts";
import { zoneFilter } from "../../src/run/seccomp/zone-filter.ts";
import { launch, type Run } from "../native/launch.ts";
import { isRoot } from "../support/identity.ts";
import { type Answer, type Attempt, attemptWords, PROBE, parseAnswers, probePath } from "../support/probe.ts";

export type Change = (ops: readonly PlanOp[]) => readonly PlanOp[];

/** The mounts as they are, and no Landlock. */
export const withoutLandlock: Change = (ops) =>
  withChecks(
    ops.filter(({ op }) => !op.startsWith("landlock")),
    ~verifyCheck.landlock,
  );

/** Landlock as it is; nothing is masked, nothing read-only. */
export const withoutMountRules: Change = (ops) =>
  ops
    .filter(({ op }) => op !== "mask" && op !== "read_only")
    .map((op) => {
      if (op.op === "pivot") return { ...op, read_only_root: 0 };
      return op.op === "bind" || op.op === "mirror" ? { ...op, flags: op.flags & ~mountFlag.readOnly } : op;
    });

export const withoutSeccomp: Change = (ops) => ops.filter(({ op }) => op !== "seccomp");

/** These acts of the self-test, as a mask over the planned ones. */
export function withChecks(ops: readonly PlanOp[], mask: number): PlanOp[] {
  return ops.map((op) => (op.op === "verify" ? { ...op, checks: op.checks & mask } : op));
}

export const untested: Change = (ops) => ops.filter(({ op }) => op !== "verify");

/** A mount that the view should not have: it comes before the root is left, and no Landlock rule follows from it. */
export function withLeak(source: string, target: string, flags = 0): Change {
  return (ops) =>
    ops.flatMap((op): PlanOp[] => (op.op === "pivot" ? [{ op: "bind", source, target, flags }, op] : [op]));
}

export function inOrder(...changes: readonly Change[]): Change {
  return (ops) => changes.reduce((changed, change) => change(changed), ops);
}

interface ZoneOf {
  /** Folders of the host and where they are seen; not below /tmp, which is writable with all that is in it. */
  readonly view?: readonly (readonly ["ro-bind" | "rw-bind", source: string, target: string])[];
  readonly filesystem?: Partial<Policy["filesystem"]>;
  readonly devices?: readonly string[];
}

/** The ops that the planner makes for the probe on this host. */
export async function plannedOps(attempts: readonly Attempt[], zone: ZoneOf = {}): Promise<PlanOp[]> {
  const facts = { ...linuxBackend.probe(), cwd: "/" };
  const task = shippedPolicies["task"] as Policy;
  const policy = {
    ...task,
    filesystem: { ...task.filesystem, ...zone.filesystem },
    devices: { allowed: zone.devices ?? task.devices.allowed },
  };
  const filter = await zoneFilter(policy, facts, () => ({ problem: "no file" }));
  if (!filter.ok) throw new Error("no filter");
  const origin = { kind: "flag", flag: "--ro-bind" } as const;
  const view: ViewEntry[] = [
    { kind: "ro-bind", source: probePath, target: PROBE, origin },
    ...(zone.view ?? []).map(([kind, source, target]): ViewEntry => ({ kind, source, target, origin })),
  ];
  const request = {
    taskId: "task_hand",
    zoneId: "zone_hand",
    command: [PROBE, ...attemptWords(attempts)],
    commandHash: "sha256:00",
    env: [],
    envPass: [],
    view,
    limits: {},
    io: { mode: "capture", stdin: false, maxOutputBytes: 1 << 20 },
  } as const;
  const outcome = plan({ request, policy, facts, filter: filter.filter });
  if (!outcome.ok) throw new Error(outcome.diagnostics.map(({ message }) => message).join("; "));
  return outcome.plan.ops.map(({ op }) => op).filter(({ op }) => !op.startsWith("cgroup"));
}

export interface HandMade {
  readonly run: Run;
  readonly answers: readonly Answer[];
  /** The outcomes, in the order of the attempts. */
  readonly outcomes: readonly string[];
}

/** Runs the probe in a changed zone. */
export async function tryWith(change: Change, attempts: readonly Attempt[], zone: ZoneOf = {}): Promise<HandMade> {
  const run = await launch(change(await plannedOps(attempts, zone)), { runner: isRoot ? "root" : "user" });
  const answers = parseAnswers(run.output(1));
  return { run, answers, outcomes: answers.map(({ outcome }) => outcome) };
}
