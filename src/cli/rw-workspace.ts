import { isBelow } from "../run/absolute-path.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import { errnoName } from "../run/report/errno.ts";
import type { Report } from "../run/report/report.ts";
import type { Verdict } from "../run/report/verdict.ts";
import type { WorkspaceEvent } from "../run/result/events.ts";
import type { RunOutcome } from "../run/result/project.ts";
import type { PreparedPart, RunPart } from "../run/run-part.ts";
import type { TreeFs } from "../run/tree-fs.ts";
import { heldPath, holdNewLaterRunFiles, missingLaterRunFiles, type NewLaterRunFile } from "../workspace/rw-watch.ts";

/** The guard of a workspace in `rw` mode: what runs later and is new after the run is renamed, and told (docs/adr/0032). */
export class RwWorkspace implements RunPart {
  readonly #fs: TreeFs;
  readonly #root: string;
  #missing: readonly string[] = [];
  #writable: readonly string[] = [];

  constructor(fs: TreeFs, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /** Notes what is not there. */
  prepare(inputs: PlanInputs): PreparedPart {
    this.#missing = missingLaterRunFiles(this.#fs, this.#root);
    this.#writable = inputs.policy.filesystem.writablePaths;
    return { ok: true, inputs, warnings: [] };
  }

  /** What is there now is held, unless the policy lists it. */
  conclude(report: Report, _verdict: Verdict, before: RunOutcome): RunOutcome {
    const root = this.#root;
    const { taskId } = report.plan;
    const listed = (path: string) =>
      this.#writable.some((each) => isBelow(`${root}/${path}`, each) && isBelow(each, root));
    const found = holdNewLaterRunFiles(this.#fs, root, this.#missing, { taskId, listed });
    return {
      ...before,
      events: [...before.events, ...heldEvents(report, found)],
      warnings: [...before.warnings, ...heldWarnings(found)],
    };
  }
}

/** Files that run later, made by a task in `rw` mode: renamed, or still there. */
function heldEvents(report: Report, files: readonly NewLaterRunFile[]): WorkspaceEvent[] {
  return files.map((file) => ({
    at: report.finishedAt,
    name: file.heldAs === undefined ? "fs.later_run.changed" : "fs.later_run.held",
    outcome: file.heldAs === undefined ? "allowed" : "denied",
    level: "warn",
    extra: { path: file.path, ...(file.heldAs === undefined ? {} : { held_as: heldPath(file) }) },
  }));
}

function heldWarnings(files: readonly NewLaterRunFile[]): Diagnostic[] {
  return files.map((file): Diagnostic => {
    const made = `${file.path} was made by the task, and what is in it runs outside the zone later`;
    const why = file.errno === undefined ? "" : `; it could not be renamed: ${errnoName(file.errno)}`;
    if (file.heldAs === undefined)
      return { code: "unenforceable", message: `${made}${why}`, hint: "look at it before you use the repository" };
    const hint = `look at it, and rename it back if you want it; or list ${file.path} in filesystem.writable_paths`;
    return { code: "unenforceable", message: `${made}: it is ${heldPath(file)} now`, hint };
  });
}
