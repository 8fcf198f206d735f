import type { Backend, SignalSource } from "../run/backend.ts";
import type { BackendEvent } from "../run/backend-event.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { Plan, PlanOutcome } from "../run/plan/plan.ts";
import { guaranteesOf, inPiece, planReady } from "../run/plan/ready.ts";
import { errnoName } from "../run/report/errno.ts";
import { foldEvent, newReport, type Report } from "../run/report/report.ts";
import type { Verdict } from "../run/report/verdict.ts";
import { noOutcome, type RunOutcome } from "../run/result/project.ts";
import type { RunPart } from "../run/run-part.ts";
import type { ZoneNotes } from "../run/zone-registry.ts";

/** One zone to be run, and who hears of it. */
export interface ZoneToRun {
  readonly inputs: PlanInputs;
  readonly parts: readonly RunPart[];
  readonly signals: SignalSource;
  /** In ms since the epoch. */
  readonly startedAt: number;
  /** A piece of the task's stdout (1) or stderr (2). */
  output(stream: number, data: Uint8Array): void;
  /** Said before the zone runs. */
  warn(warnings: readonly Diagnostic[]): void;
}

/** What a zone did, or why there is none. */
export type ZoneRun =
  | { readonly ok: true; readonly report: Report }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Runs a zone with its parts to its end. Where the kernel refuses overlayfs, which only shows when it is mounted, there is a second
 * zone with copies in its place.
 */
export async function runZone(backend: Backend, zone: ZoneToRun): Promise<ZoneRun> {
  const run = await tryZone(backend, zone, undefined);
  if (zone.parts.length === 0 || !run.ok) return run;
  const refused = overlayRefusal(run.report);
  return refused === undefined ? run : tryZone(backend, zone, refused);
}

async function tryZone(backend: Backend, zone: ZoneToRun, refused: string | undefined): Promise<ZoneRun> {
  const { parts } = zone;
  let report: Report | undefined;
  try {
    let { inputs } = zone;
    let warnings: readonly Diagnostic[] = [];
    for (const part of parts) {
      const prepared = await part.prepare?.(inputs, refused);
      if (prepared === undefined) continue;
      if (!prepared.ok) return prepared;
      inputs = prepared.inputs;
      warnings = [...warnings, ...prepared.warnings];
    }
    const outcome = await planOf(inputs, backend);
    if (!outcome.ok) return outcome;
    const { plan } = outcome;
    zone.warn(refused === undefined ? [...warnings, ...plan.warnings] : warnings);
    const folded = newReport(plan, zone.startedAt);
    report = folded;
    const emit = (event: BackendEvent) => {
      foldEvent(folded, event);
      if (event.record === "output") zone.output(event.stream, event.data);
    };
    let { guarantees } = plan;
    // While the launcher is at work: until then every moment counts.
    const promise = () => {
      guarantees = guaranteesOf(plan, inputs);
    };
    await runWithParts(backend, zone, plan, emit, promise);
    report = { ...folded, plan: (await wholeAgain(folded, inputs, backend)) ?? { ...plan, guarantees } };
    return { ok: true, report };
  } finally {
    if (report === undefined || report.started === null)
      for (let at = parts.length; at-- > 0; ) await parts[at]?.undo?.();
  }
}

/** The plan that is ready but for a few ops, or the planner's. */
export async function planOf(inputs: PlanInputs, backend: Backend): Promise<PlanOutcome> {
  const plan = planReady(inputs);
  return plan === undefined ? planWhole(inputs, backend) : { ok: true, plan };
}

/** The planner, with the filters' compiler: loaded where no plan is ready. */
export function planner() {
  return import("../run/plan/whole.ts");
}

async function planWhole(inputs: PlanInputs, { io }: Backend): Promise<PlanOutcome> {
  return (await planner()).planWhole(inputs, io);
}

/**
 * The planner's plan of a zone whose end is explained by an op that a ready plan has as bytes alone: one that failed, or the limit behind a
 * signal.
 */
async function wholeAgain(
  { plan, failed, ended }: Report,
  inputs: PlanInputs,
  backend: Backend,
): Promise<Plan | undefined> {
  if (plan.pieces === undefined) return undefined;
  const isMissing = failed !== null && plan.ops[failed.op] === inPiece;
  if (!isMissing && ((ended?.status ?? 0) & 0x7f) === 0) return undefined;
  const outcome = await planWhole(inputs, backend);
  return outcome.ok ? outcome.plan : undefined;
}

async function runWithParts(
  backend: Backend,
  { inputs, parts, signals }: ZoneToRun,
  plan: Plan,
  emit: (event: BackendEvent) => void,
  promise: () => void,
): Promise<void> {
  let note: ReturnType<ZoneNotes["note"]> | undefined;
  const moments = {
    async meanwhile() {
      for (const part of parts) await part.meanwhile?.();
      promise();
      if (backend.notes.any()) (await backend.notes.open()).sweep();
    },
    async lasting(pid: number) {
      // Where programs guard the zone, its record lies in their maps.
      if (inputs.lsm !== undefined) return;
      note = (await backend.notes.open()).note(plan, inputs.policy, pid);
      if ("problem" in note) emit({ at: Date.now(), record: "unrecorded", detail: note.problem });
    },
  };
  const network = parts.length === 0 ? undefined : parts.find((part) => part.network !== undefined)?.network;
  await backend.run(plan, emit, signals, network, moments);
  if (note !== undefined && "remove" in note) note.remove();
  for (let at = parts.length; at-- > 0; ) for (const event of (await parts[at]?.end?.()) ?? []) emit(event);
  for (const part of parts) if (part.settle !== undefined) await part.settle();
}

/** What the parts of a run that has ended say became of it. */
export function concludeParts(parts: readonly RunPart[], report: Report, verdict: Verdict): RunOutcome {
  let outcome = noOutcome;
  for (const part of parts) outcome = part.conclude?.(report, verdict, outcome) ?? outcome;
  return outcome;
}

/**
 * Whether setting up failed at making an overlayfs, and why: the kernel has the last word on it. A place where it can't be mounted is no
 * better for a copy.
 */
function overlayRefusal({ failed, plan }: Report): string | undefined {
  if (failed === null || plan.ops[failed.op]?.op.op !== "overlay" || failed.detail !== "overlay") return undefined;
  return `the kernel refused overlayfs: ${failed.step}: ${errnoName(failed.errno)}`;
}
