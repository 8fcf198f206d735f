import type { Backend } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import { explainPlan, explainPlanData } from "../run/plan/explain.ts";
import type { Plan } from "../run/plan/plan.ts";
import { plan as planZone } from "../run/plan/planner.ts";
import { errnoName } from "../run/report/errno.ts";
import { foldEvent, newReport, type Report } from "../run/report/report.ts";
import { verdictOf } from "../run/report/verdict.ts";
import type { CopyOnWriteLayer, SandboxRequest } from "../run/request.ts";
import { projectResult, refusedResult } from "../run/result/project.ts";
import { zoneFilter } from "../run/seccomp/zone-filter.ts";
import { parseSandboxArgs, type ResultTargets, type SandboxInvocation } from "./flags/sandbox.ts";
import { commandHash, newId } from "./ids.ts";
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
  const startedAt = Date.now();
  const cwd = process.cwd();
  const parsed = parseSandboxArgs(argv, { cwd });
  const ids = { taskId: newId("task"), zoneId: newId("zone") };
  const refuse = (
    targets: ResultTargets,
    command: readonly string[],
    stage: string,
    problems: readonly Diagnostic[],
  ) => {
    const sink = resultSink(backend.io, targets, false);
    sink.complain(problems);
    const exitCode = exitCodeOf(problems);
    sink.result(refusedResult({ ...ids, command, policy: null, at: startedAt, stage }, problems));
    return exitCode;
  };
  if (!parsed.ok) return refuse(parsed, [], "request", parsed.diagnostics);
  const { invocation } = parsed;
  if (invocation.help) return showHelp(backend);

  const { command } = invocation.request;
  const loaded = await loadPolicy(invocation.policyName, { cwd });
  if (!loaded.ok) return refuse(invocation, command, "policy", loaded.diagnostics);
  const facts = backend.probe();
  const request = completeRequest(invocation, ids, backend);
  const filter = await zoneFilter(loaded.policy, facts, (path) => backend.io.readText(path, profileBytes));
  if (!filter.ok) return refuse(invocation, command, "policy", filter.diagnostics);
  const { policy } = loaded;
  const plan = (layers: readonly CopyOnWriteLayer[]) =>
    planZone({ request: { ...request, copyOnWrite: layers }, policy, facts, filter: filter.filter });
  const workspace = touchesFiles(request) ? await openWorkspace(backend, request, invocation) : undefined;
  if (invocation.explain) {
    const outcome = plan(workspace?.planned() ?? []);
    if (!outcome.ok) return refuse(invocation, command, "plan", outcome.diagnostics);
    return explain(outcome.plan, invocation, backend);
  }
  const sink = resultSink(backend.io, invocation, request.io.mode !== "capture");
  for (let refused: string | undefined; ; ) {
    const ready = workspace?.ready(policy, refused) ?? noLayers;
    if (!ready.ok) return refuse(invocation, command, "workspace", ready.problems);
    const outcome = plan(ready.layers);
    if (!outcome.ok) {
      workspace?.abandon();
      return refuse(invocation, command, "plan", outcome.diagnostics);
    }
    sink.warn(refused === undefined ? [...ready.warnings, ...outcome.plan.warnings] : ready.warnings);
    const report = await runZone(outcome.plan, backend, sink, startedAt);
    const refusal = refused === undefined ? overlayRefusal(report) : undefined;
    if (refusal === undefined) return conclude(report, sink, workspace);
    refused = refusal;
  }
}

const noLayers = { ok: true, layers: [], warnings: [] } as const;

/** Whether a run has anything to do with the host's files: a workspace that can change, or copy-on-write directories. */
function touchesFiles(request: Pick<SandboxRequest, "repo" | "view">): boolean {
  const mode = request.repo?.mode;
  return mode === "overlay" || mode === "rw" || request.view.some(({ kind }) => kind === "overlay-bind");
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
  ids: { readonly taskId: string; readonly zoneId: string },
  backend: Backend,
): SandboxRequest {
  const { request } = invocation;
  // A pipe or a file is there to be read; a terminal only when -i says so, since a task waiting for keys looks like a hang.
  const stdin = request.io.stdin || !backend.io.isTerminal(0);
  return { ...request, ...ids, commandHash: commandHash(request.command), io: { ...request.io, stdin } };
}

async function runZone(plan: Plan, backend: Backend, sink: ResultSink, startedAt: number): Promise<Report> {
  const report = newReport(plan, startedAt);
  await backend.run(
    plan,
    (event) => {
      foldEvent(report, event);
      if (event.record === "output") sink.output(event.stream, event.data);
    },
    collectSignals(),
  );
  return report;
}

function conclude(report: Report, sink: ResultSink, workspace: WorkspaceRun | undefined): number {
  const verdict = verdictOf(report);
  const finished = workspace?.finish(report, verdict);
  if (finished !== undefined) sink.warn(finished.warnings);
  const result = projectResult(report, verdict, finished?.outcome);
  sink.result(result);
  sink.summary(summaryLine(result), result.status === "runtime_error");
  const carriedOver = finished === undefined || finished.outcome.error === null;
  return verdict.rauhaExitCode === 0 && !carriedOver ? 125 : verdict.rauhaExitCode;
}

function explain(plan: Plan, invocation: SandboxInvocation, backend: Backend): number {
  const text = invocation.json === true ? `${JSON.stringify(explainPlanData(plan), null, 2)}\n` : explainPlan(plan);
  return backend.io.write(1, new TextEncoder().encode(text)) === 0 ? 0 : 125;
}

async function showHelp(backend: Backend): Promise<number> {
  const { sandboxHelp } = await import("./help.ts");
  backend.io.write(1, new TextEncoder().encode(sandboxHelp()));
  return 0;
}
