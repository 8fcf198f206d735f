import type { Backend, BackendEvent } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { LsmRun } from "../run/lsm.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { Plan, PlanOutcome } from "../run/plan/plan.ts";
import { plan as planZone } from "../run/plan/planner.ts";
import { errnoName } from "../run/report/errno.ts";
import { foldEvent, newReport, type Report } from "../run/report/report.ts";
import { verdictOf } from "../run/report/verdict.ts";
import type { CopyOnWriteLayer, SandboxRequest } from "../run/request.ts";
import { projectResult, refusedResult } from "../run/result/project.ts";
import type { Result } from "../run/result/schema.ts";
import { zoneFilter } from "../run/seccomp/zone-filter.ts";
import { parseSandboxArgs, type ResultTargets, type SandboxInvocation } from "./flags/sandbox.ts";
import { hasGitFile } from "./git-file.ts";
import { commandHash, newId } from "./ids.ts";
import { openLsmRun } from "./lsm-run.ts";
import type { NetworkRun } from "./network-run.ts";
import { loadPolicy } from "./policy-source.ts";
import { type ResultSink, resultSink } from "./result-sink.ts";
import { collectSignals } from "./signals.ts";
import { summaryLine } from "./summary.ts";
import { exitCodeOf } from "./words.ts";
import type { WorkspaceRun } from "./workspace-run.ts";

/** A seccomp profile is read up to this size. */
const profileBytes = 1 << 20;

/** `rauha sandbox`: argv in, one result out; returns Rauha's exit code. SPEC section 1. */
export async function runSandbox(argv: readonly string[], backend: Backend): Promise<number> {
  const parsed = parseSandboxArgs(argv, { cwd: process.cwd() });
  const task: TaskNames = { taskId: newId("task", backend.io), zoneId: newId("zone", backend.io), at: Date.now() };
  if (!parsed.ok)
    return refuse({ ...task, command: parsed.command, stage: "request" }, parsed, backend, parsed.diagnostics);
  if (parsed.invocation.help) return showHelp(backend);
  const rooted = parsed.invocation.image === undefined ? parsed : await withImage(backend, parsed.invocation);
  if (!rooted.ok) {
    const { command } = parsed.invocation.request;
    return refuse({ ...task, command, stage: "image" }, parsed.invocation, backend, rooted.diagnostics);
  }
  const { invocation } = rooted;
  const inputs = await gatherInputs(invocation, task, backend);
  const { command } = invocation.request;
  if (!inputs.ok) return refuse({ ...task, command, stage: "policy" }, invocation, backend, inputs.diagnostics);
  const { request } = inputs.inputs;
  const network = await openNetwork(backend, inputs.inputs);
  const workspace = touchesFiles(request, backend.io) ? await openWorkspace(backend, request, invocation) : undefined;
  const lsm = await openLsmRun(backend, request, inputs.inputs.facts);
  if (!lsm.ok) return refuse({ ...task, command, stage: "plan" }, invocation, backend, lsm.diagnostics);
  const planInputs =
    network === undefined && lsm.run === undefined && workspace === undefined
      ? inputs.inputs
      : { ...inputs.inputs, request: workspace?.request ?? request, network: network?.part, lsm: lsm.run };
  const outcome = invocation.explain
    ? planWith(planInputs, workspace?.planned() ?? [])
    : await runZone(planInputs, { workspace, network, lsm: lsm.run }, invocation, backend, task.at);
  if (typeof outcome === "number") return outcome;
  if (outcome.ok) return explain(outcome.plan, invocation, backend);
  const policy = { name: inputs.inputs.policy.name, hash: inputs.inputs.policy.hash };
  return refuse({ ...task, command, stage: "plan", policy }, invocation, backend, outcome.diagnostics);
}

interface TaskNames {
  readonly taskId: string;
  readonly zoneId: string;
  /** When Rauha began, in ms since the epoch. */
  readonly at: number;
}

/** Says why nothing runs, on stderr and as a result. */
function refuse(
  refusal: Omit<Parameters<typeof refusedResult>[0], "policy"> & { readonly policy?: Result["policy"] },
  targets: ResultTargets,
  backend: Backend,
  problems: readonly Diagnostic[],
): number {
  const sink = resultSink(backend.io, targets, false);
  sink.complain(problems);
  sink.result(refusedResult({ policy: null, ...refusal }, problems));
  return exitCodeOf(problems);
}

/** The three inputs of a plan, and the filter that follows from them. */
async function gatherInputs(
  invocation: SandboxInvocation,
  task: TaskNames,
  backend: Backend,
): Promise<
  | { readonly ok: true; readonly inputs: PlanInputs }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
> {
  const loaded = await loadPolicy(invocation.policyName, { cwd: process.cwd() });
  if (!loaded.ok) return loaded;
  const { policy } = loaded;
  const facts = backend.probe();
  const filter = await zoneFilter(policy, facts, (path) => backend.io.readText(path, profileBytes));
  if (!filter.ok) return filter;
  return {
    ok: true,
    inputs: { request: completeRequest(invocation, task, backend), policy, facts, filter: filter.filter },
  };
}

function planWith(inputs: PlanInputs, layers: readonly CopyOnWriteLayer[]): PlanOutcome {
  return planZone({ ...inputs, request: { ...inputs.request, copyOnWrite: layers } });
}

/** What a run has besides its plan, each only where request, policy or host ask for it. */
interface RunParts {
  readonly workspace: WorkspaceRun | undefined;
  readonly network: NetworkRun | undefined;
  readonly lsm: LsmRun | undefined;
}

/**
 * Runs the zone to its end and says what became of it: Rauha's exit code, or why there is no zone. Where the kernel refuses
 * overlayfs, which only shows when it is mounted, there is a second zone with copies in its place.
 */
async function runZone(
  inputs: PlanInputs,
  { workspace, network, lsm }: RunParts,
  invocation: SandboxInvocation,
  backend: Backend,
  startedAt: number,
): Promise<number | Extract<PlanOutcome, { ok: false }>> {
  const sink = resultSink(backend.io, invocation, inputs.request.io.mode !== "capture");
  if (sink.problems.length > 0) return { ok: false, diagnostics: sink.problems };
  const signals = collectSignals();
  for (let refused: string | undefined; ; ) {
    const ready = workspace?.ready(inputs.policy, refused) ?? noLayers;
    if (!ready.ok) return { ok: false, diagnostics: ready.problems };
    const outcome = planWith(inputs, ready.layers);
    if (!outcome.ok) {
      workspace?.abandon();
      return outcome;
    }
    sink.warn(refused === undefined ? [...ready.warnings, ...outcome.plan.warnings] : ready.warnings);
    const report = newReport(outcome.plan, startedAt);
    const emit = (event: BackendEvent) => {
      foldEvent(report, event);
      if (event.record === "output") sink.output(event.stream, event.data);
    };
    const unguarded = lsm?.begin(inputs.policy, inputs.network?.reach);
    if (unguarded !== undefined) {
      workspace?.abandon();
      return { ok: false, diagnostics: [unguarded] };
    }
    await backend.run(outcome.plan, emit, signals, network?.zone, workspace?.meanwhile);
    lsm?.finish().forEach(emit);
    const refusal = refused === undefined ? overlayRefusal(report) : undefined;
    if (refusal === undefined) return conclude(report, sink, workspace);
    refused = refusal;
  }
}

const noLayers = { ok: true, layers: [], warnings: [] } as const;

/**
 * Whether a run has anything to do with the host's files: a workspace that can change, or whose git directory lies elsewhere, or
 * copy-on-write directories.
 */
function touchesFiles({ repo, view }: SandboxRequest, io: Backend["io"]): boolean {
  if (repo !== undefined && (repo.mode !== "ro" || hasGitFile(repo.path, io))) return true;
  return view.some(({ kind }) => kind === "overlay-bind");
}

/** The network's side of a run; for mode none there is none, and nothing is loaded. */
async function openNetwork(backend: Backend, inputs: PlanInputs): Promise<NetworkRun | undefined> {
  if ((inputs.request.network ?? inputs.policy.network.mode) === "none") return undefined;
  return (await import("./network-run.ts")).openNetworkRun(backend, inputs);
}

async function withImage(backend: Backend, invocation: SandboxInvocation) {
  const image = await import("./image-run.ts");
  return image.withImage(backend, invocation);
}

async function openWorkspace(backend: Backend, request: SandboxRequest, invocation: SandboxInvocation) {
  const { openWorkspaceRun } = await import("./workspace-run.ts");
  return openWorkspaceRun(backend, request, invocation);
}

/** Whether setting up failed at mounting overlayfs, and why: the kernel has the last word on it. */
function overlayRefusal({ failed, plan }: Report): string | undefined {
  if (failed === null || plan.ops[failed.op]?.op.op !== "overlay") return undefined;
  return `the kernel refused overlayfs: ${failed.step}: ${errnoName(failed.errno)}`;
}

/** What the parser leaves to the runner: names, hash, and whether a stdin that is no terminal goes in. */
function completeRequest(
  invocation: SandboxInvocation,
  { taskId, zoneId }: TaskNames,
  backend: Backend,
): SandboxRequest {
  const { request } = invocation;
  // A pipe or a file is there to be read; a terminal only when -i says so, since a task waiting for keys looks like a hang.
  const stdin = request.io.stdin || !backend.io.isTerminal(0);
  return { ...request, taskId, zoneId, commandHash: commandHash(request.command), io: { ...request.io, stdin } };
}

/** The task did its work, and its changes did not get where they were to go: the code of `rauha apply` for the same (docs/adr/0033). */
const changesNotApplied = 1;

function conclude(report: Report, sink: ResultSink, workspace: WorkspaceRun | undefined): number {
  const verdict = verdictOf(report);
  const finished = workspace?.finish(report, verdict);
  if (finished !== undefined) sink.warn(finished.warnings);
  const result = projectResult(report, verdict, finished?.outcome);
  sink.result(result);
  sink.summary(() => summaryLine(result), result.status === "runtime_error");
  const carriedOver = finished === undefined || finished.outcome.error === null;
  return verdict.rauhaExitCode === 0 && !carriedOver ? changesNotApplied : verdict.rauhaExitCode;
}

async function explain(plan: Plan, invocation: SandboxInvocation, backend: Backend): Promise<number> {
  const { explainPlan, explainPlanData } = await import("../run/plan/explain.ts");
  const text = invocation.json === true ? `${JSON.stringify(explainPlanData(plan), null, 2)}\n` : explainPlan(plan);
  return backend.io.write(1, new TextEncoder().encode(text)) === 0 ? 0 : 125;
}

async function showHelp(backend: Backend): Promise<number> {
  const { sandboxHelp } = await import("./help.ts");
  backend.io.write(1, new TextEncoder().encode(sandboxHelp()));
  return 0;
}
