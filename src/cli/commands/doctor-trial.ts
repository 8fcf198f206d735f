import type { Backend } from "../../run/backend.ts";
import type { Trial } from "../../run/doctor/finding.ts";
import type { HostFacts } from "../../run/host-facts.ts";
import type { SubordinateIds } from "../../run/ids/readiness.ts";
import { shippedPolicies } from "../../run/policy/shipped.gen.ts";
import { verdictOf } from "../../run/report/verdict.ts";
import { projectResult } from "../../run/result/project.ts";
import { runZone } from "../run-zone.ts";
import { collectSignals } from "../signals.ts";
import { openTrial } from "./plan-trial.ts";

/** Runs `true` in a zone with the policy `task`: security modules, containers and seccomp refuse only when asked. */
export async function tryZone(backend: Backend, facts: HostFacts, ids?: SubordinateIds["maps"]): Promise<Trial> {
  const policy = shippedPolicies["task"];
  if (policy === undefined) throw new Error("the policy task is not in this build");
  const trial = await openTrial(backend, facts, policy, ids);
  const silent = { signals: collectSignals(), startedAt: Date.now(), output: () => {}, warn: () => {} };
  const run = trial.ok ? await runZone(backend, { ...trial, ...silent }) : trial;
  if (!run.ok) {
    const [first] = run.diagnostics;
    const message = run.diagnostics.map((diagnostic) => diagnostic.message).join("; ");
    return { ok: false, message, hint: first?.hint ?? null };
  }
  const result = projectResult(run.report, verdictOf(run.report));
  if (result.status === "succeeded") {
    return { ok: true, enforced: result.guarantees.filter(({ state }) => state === "enforced").length };
  }
  const stderr = result.stderr?.trim() ?? "";
  const ending = `it ended with ${result.signal ?? `exit code ${result.exit_code}`}${stderr === "" ? "" : `: ${stderr}`}`;
  return { ok: false, message: result.error?.message ?? ending, hint: result.error?.hint ?? null };
}

/** An ordinary user's subordinate ids; a zone with them is tried where nothing is missing: newuidmap has its own reasons to refuse. */
export async function tryIds(backend: Backend, facts: HostFacts): Promise<SubordinateIds> {
  const ids = await (await backend.images()).subordinateIds();
  if (ids.maps.length === 0 || ids.problems.length > 0) return ids;
  const trial = await tryZone(backend, facts, ids.maps);
  if (trial.ok) return ids;
  return { ...ids, problems: [{ code: "unenforceable", message: trial.message, hint: trial.hint ?? undefined }] };
}
