import type { Backend } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { RunPart } from "../run/run-part.ts";

/** Only with one of these a task can leave files that belong to another id than its own, which is the caller's. */
const givesFilesAway = ["CAP_CHOWN", "CAP_SETUID"];

/**
 * The part of a run with subordinate ids that comes behind its copy-on-write layers: what the task left in them under other ids is given
 * to the caller. Else he could not read the changes, nor forget them.
 */
export function reclaimedLayers(backend: Backend): RunPart {
  let prepared: PlanInputs | undefined;
  let problems: readonly Diagnostic[] = [];
  return {
    prepare(inputs) {
      prepared = inputs;
      return { ok: true, inputs, warnings: [] };
    },
    async settle() {
      if (prepared !== undefined) problems = await reclaim(backend, prepared);
    },
    conclude: (_report, _verdict, before) => ({ ...before, warnings: [...before.warnings, ...problems] }),
  };
}

async function reclaim(backend: Backend, { request, policy }: PlanInputs): Promise<Diagnostic[]> {
  const { ids, copyOnWrite = [] } = request;
  if (ids === undefined || !policy.capabilities.allowed.some((name) => givesFilesAway.includes(name))) return [];
  const images = await backend.images();
  const problems: Diagnostic[] = [];
  for (const { storage, target } of copyOnWrite) {
    for (const { message, ...more } of await images.reclaim(storage, ids))
      problems.push({ ...more, message: `what the task left in ${target} under other ids is theirs: ${message}` });
  }
  return problems;
}
