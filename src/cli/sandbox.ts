import type { Backend, BegunTask } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { Plan } from "../run/plan/plan.ts";
import { hasReady } from "../run/plan/ready.ts";
import type { Report } from "../run/report/report.ts";
import { verdictOf } from "../run/report/verdict.ts";
import type { SandboxRequest } from "../run/request.ts";
import { noOutcome, projectResult, refusedResult } from "../run/result/project.ts";
import type { Result } from "../run/result/schema.ts";
import type { RunPart } from "../run/run-part.ts";
import type { Consulted } from "../run/start/consulted.ts";
import { parseSandboxArgs, type ResultTargets, type SandboxInvocation } from "./flags/sandbox.ts";
import { commandHash, newId } from "./ids.ts";
import { loadPolicy } from "./policy-source.ts";
import type { RememberedRun } from "./remember-run.ts";
import { type ResultSink, resultSink } from "./result-sink.ts";
import { type OpenedParts, openParts } from "./run-parts.ts";
import { concludeParts, planner, planOf, runZone, type ZoneRun } from "./run-zone.ts";
import { collectSignals } from "./signals.ts";
import { summaryLine } from "./summary.ts";
import { exitCodeOf } from "./words.ts";

/** `rauha sandbox`: argv in, one result out; returns Rauha's exit code. SPEC section 1. */
export async function runSandbox(argv: readonly string[], backend: Backend): Promise<number> {
  const parsed = parseSandboxArgs(argv, { cwd: process.cwd() });
  const consulted = backend.starts.unknown() ? backend.starts.consult() : undefined;
  const task = backend.starts.begun() ?? newTask(backend);
  if (!parsed.ok)
    return refuse({ ...task, command: parsed.command, stage: "request" }, parsed, backend, parsed.diagnostics);
  const { invocation } = parsed;
  if (invocation.help) return showHelp(backend);
  const { command } = invocation.request;
  if (argv.join("").includes("\ufffd")) {
    const problem = (await import("./not-text.ts")).notTextProblem(argv);
    if (problem !== undefined) return refuse({ ...task, command, stage: "request" }, invocation, backend, [problem]);
  }
  const given = await gatherInputs(invocation, task, backend, consulted);
  if (!given.ok) return refuse({ ...task, command, stage: "policy" }, invocation, backend, given.diagnostics);
  const { name, hash } = given.inputs.policy;
  const opened = await openParts(backend, given.inputs, invocation);
  if (!opened.ok)
    return refuse(
      { ...task, command, stage: opened.stage, policy: { name, hash } },
      invocation,
      backend,
      opened.diagnostics,
    );
  const outcome = invocation.explain
    ? await (await planner()).planWhole(opened.inputs, backend.io)
    : await runToResult(opened, invocation, backend, task.at, consulted && { argv, consulted });
  if (typeof outcome === "number") return outcome;
  if (outcome.ok) return explain(outcome.plan, opened.inputs, invocation, backend);
  const refusal = { ...task, command: opened.inputs.request.command, stage: "plan", policy: { name, hash } };
  return refuse(refusal, invocation, backend, outcome.diagnostics);
}

function newTask({ io }: Backend): BegunTask {
  return { taskId: newId("task", io), zoneId: newId("zone", io), at: Date.now() };
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

/** The three inputs of a plan, and the filter that follows from them, unless the rules have one that is ready. */
async function gatherInputs(
  invocation: SandboxInvocation,
  task: BegunTask,
  backend: Backend,
  consulted: Consulted | undefined,
): Promise<
  | { readonly ok: true; readonly inputs: PlanInputs }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
> {
  const loaded = await loadPolicy(invocation.policyName, { cwd: process.cwd(), consulted });
  if (!loaded.ok) return loaded;
  const { policy } = loaded;
  const facts = backend.probe();
  const request = completeRequest(invocation, task, backend);
  if (hasReady(policy.hash, facts.arch)) return { ok: true, inputs: { request, policy, facts } };
  const made = await (await planner()).filterFor(policy, facts, backend.io);
  return made.ok ? { ok: true, inputs: { request, policy, facts, filter: made.filter } } : made;
}

/** A start that the native front does not know, as it was asked for, and what it asked the host. */
type UnknownStart = Pick<RememberedRun, "argv" | "consulted">;

/** Runs the zone to its end and says what became of it: Rauha's exit code, or why there is no zone. */
async function runToResult(
  { inputs, parts }: Extract<OpenedParts, { ok: true }>,
  invocation: SandboxInvocation,
  backend: Backend,
  startedAt: number,
  unknown: UnknownStart | undefined,
): Promise<number | Extract<ZoneRun, { ok: false }>> {
  const sink = resultSink(backend.io, invocation, inputs.request.io.mode !== "capture");
  if (sink.problems.length > 0) return { ok: false, diagnostics: sink.problems };
  const signals = collectSignals();
  const output = (stream: number, data: Uint8Array) => {
    if (!sink.output(stream, data)) signals.nobodyReads();
  };
  const run = await runZone(backend, { inputs, parts, signals, startedAt, output, warn: sink.warn });
  if (!run.ok) return run;
  const { result, exitCode } = conclude(run.report, sink, parts);
  if (unknown?.consulted.isComplete && parts.length === 0) {
    const { rememberRun } = await import("./remember-run.ts");
    // The run is over and said: what goes wrong with remembering it is nobody's failure.
    await rememberRun({ ...unknown, invocation, inputs, report: run.report, result }, backend, planOf).catch(() => {});
  }
  return exitCode;
}

/** What the parser leaves to the runner: names, hash, and whether a stdin that is no terminal goes in. */
function completeRequest(
  invocation: SandboxInvocation,
  { taskId, zoneId }: BegunTask,
  backend: Backend,
): SandboxRequest {
  const { request } = invocation;
  // A pipe or a file is there to be read; a terminal only when -i says so, since a task waiting for keys looks like a hang.
  const stdin = request.io.stdin || !backend.io.isTerminal(0);
  return { ...request, taskId, zoneId, commandHash: commandHash(request.command), io: { ...request.io, stdin } };
}

/** The task did its work, and its changes or its result did not get where they were to go (docs/adr/0033). */
const notDelivered = 1;

interface Concluded {
  readonly result: Result;
  readonly exitCode: number;
}

function conclude(report: Report, sink: ResultSink, parts: readonly RunPart[]): Concluded {
  const verdict = verdictOf(report);
  const outcome = parts.length === 0 ? noOutcome : concludeParts(parts, report, verdict);
  if (outcome.warnings.length > 0) sink.warn(outcome.warnings);
  const result = projectResult(report, verdict, outcome);
  const written = sink.result(result);
  sink.summary(() => summaryLine(result), result.status === "runtime_error");
  const delivered = outcome.error === null && written;
  return { result, exitCode: verdict.rauhaExitCode === 0 && !delivered ? notDelivered : verdict.rauhaExitCode };
}

async function explain(
  plan: Plan,
  inputs: PlanInputs,
  invocation: SandboxInvocation,
  backend: Backend,
): Promise<number> {
  const { explainPlan, explainPlanData } = await import("../run/plan/explain.ts");
  const rules = (await import("../run/plan/explain-rules.ts")).explainRules(inputs);
  const asJson = invocation.json === true;
  const text = asJson ? `${JSON.stringify(explainPlanData(plan, rules), null, 2)}\n` : explainPlan(plan, rules);
  return backend.io.write(1, new TextEncoder().encode(text)) === 0 ? 0 : 125;
}

async function showHelp(backend: Backend): Promise<number> {
  const { sandboxHelp } = await import("./help.ts");
  backend.io.write(1, new TextEncoder().encode(sandboxHelp()));
  return 0;
}
