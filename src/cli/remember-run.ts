import type { Backend } from "../run/backend.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { PlanOutcome } from "../run/plan/plan.ts";
import type { Report } from "../run/report/report.ts";
import type { Result } from "../run/result/schema.ts";
import type { Consulted } from "../run/start/consulted.ts";
import type { SandboxInvocation } from "./flags/sandbox.ts";

/** A run that has ended, its result out. */
export interface RememberedRun {
  /** What follows `sandbox`. */
  readonly argv: readonly string[];
  readonly invocation: SandboxInvocation;
  readonly inputs: PlanInputs;
  readonly report: Report;
  readonly result: Result;
  readonly consulted: Consulted;
}

/**
 * Hands a run to whoever remembers starts, if all that the command line asked for is a zone and its result as JSON on stdout. Loaded when
 * the result is out: nobody waits for it but the next start.
 */
export async function rememberRun(
  { argv, invocation, ...run }: RememberedRun,
  backend: Backend,
  planOf: (inputs: PlanInputs, backend: Backend) => Promise<PlanOutcome>,
): Promise<void> {
  const { resultFile, resultFd, patchFile, json, request } = invocation;
  if (json === false || backend.io.isTerminal(1)) return;
  if ([resultFile, resultFd, patchFile].some((place) => place !== undefined)) return;
  // The front takes for the command what follows the first `--`.
  const end = argv.indexOf("--");
  const given = argv.slice(end + 1);
  const same = given.length === request.command.length && given.every((word, at) => word === request.command[at]);
  if (end < 0 || !same || given.length === 0) return;
  const remember = await backend.starts.remember();
  await remember({
    ...run,
    options: argv.slice(0, end),
    entrypoint: run.inputs.request.command.length - given.length,
    plan: (inputs) => planOf(inputs, backend),
  });
}
