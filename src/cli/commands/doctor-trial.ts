import type { Backend } from "../../run/backend.ts";
import type { Trial } from "../../run/doctor/finding.ts";
import type { HostFacts } from "../../run/host-facts.ts";
import { shippedPolicies } from "../../run/policy/shipped.gen.ts";
import { foldEvent, newReport } from "../../run/report/report.ts";
import { verdictOf } from "../../run/report/verdict.ts";
import { projectResult } from "../../run/result/project.ts";
import { collectSignals } from "../signals.ts";
import { planTrial } from "./plan-trial.ts";

/** Runs `true` in a zone with the policy `task`: security modules, containers and seccomp refuse only when asked. */
export async function tryZone(backend: Backend, facts: HostFacts): Promise<Trial> {
  const policy = shippedPolicies["task"];
  if (policy === undefined) throw new Error("the policy task is not in this build");
  const outcome = await planTrial(backend, facts, policy);
  if (!outcome.ok) {
    const [first] = outcome.diagnostics;
    const message = outcome.diagnostics.map((diagnostic) => diagnostic.message).join("; ");
    return { ok: false, message, hint: first?.hint ?? null };
  }
  const report = newReport(outcome.plan, Date.now());
  const unguarded = outcome.lsm?.begin(policy);
  if (unguarded !== undefined) return { ok: false, message: unguarded.message, hint: unguarded.hint ?? null };
  await backend.run(outcome.plan, (event) => foldEvent(report, event), collectSignals());
  for (const event of outcome.lsm?.finish() ?? []) foldEvent(report, event);
  const result = projectResult(report, verdictOf(report));
  if (result.status === "succeeded") {
    return { ok: true, enforced: result.guarantees.filter(({ state }) => state === "enforced").length };
  }
  const stderr = result.stderr?.trim() ?? "";
  const ending = `it ended with ${result.signal ?? `exit code ${result.exit_code}`}${stderr === "" ? "" : `: ${stderr}`}`;
  return { ok: false, message: result.error?.message ?? ending, hint: result.error?.hint ?? null };
}
