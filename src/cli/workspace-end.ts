import type { Backend, OutputFile } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import { errnoName } from "../run/report/errno.ts";
import { errorOfDiagnostics } from "../run/report/errors.ts";
import type { Report } from "../run/report/report.ts";
import type { Verdict } from "../run/report/verdict.ts";
import type { SandboxRequest } from "../run/request.ts";
import type { WorkspaceEvent } from "../run/result/events.ts";
import { noOutcome, type RunOutcome } from "../run/result/project.ts";
import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import type { applyTask } from "../workspace/apply/apply.ts";
import { describeChanges } from "../workspace/describe.ts";
import { type Finished, finishTask, laterRunChanges } from "../workspace/finish.ts";
import type { PreparedTask } from "../workspace/prepare.ts";
import { rehearse } from "../workspace/rehearse.ts";
import { removeTask } from "../workspace/store.ts";
import type { patchTask } from "../workspace/task-patch.ts";
import type { SandboxInvocation } from "./flags/sandbox.ts";
import { applyProblem, laterRunEvents, laterRunWarnings } from "./workspace-words.ts";

/** A run that has ended, with its layers. */
export interface EndedRun {
  readonly report: Report;
  readonly verdict: Verdict;
  readonly repo: SandboxRequest["repo"];
  readonly prepared: PreparedTask;
  /** Where --patch goes, or why it can't (an errno). */
  readonly patch: OutputFile | number | undefined;
}

type EndWish = Pick<SandboxInvocation, "onSuccess" | "patchFile">;

/** What only some invocations need, loaded for those. */
interface Loaded {
  readonly patch: typeof patchTask | undefined;
  readonly apply: typeof applyTask | undefined;
}

/** Opens what comes after the zone, with the code for what the invocation asks for. */
export async function openWorkspaceEnd(backend: Backend, wish: EndWish): Promise<WorkspaceEnd> {
  const fs = await backend.trees();
  const patch = wish.patchFile === undefined ? undefined : (await import("../workspace/task-patch.ts")).patchTask;
  const apply = wish.onSuccess === "apply" ? (await import("../workspace/apply/apply.ts")).applyTask : undefined;
  return new WorkspaceEnd(fs, wish, { patch, apply });
}

/** What becomes of a task's layers once its zone has ended. It is loaded while the zone is being built. */
export class WorkspaceEnd {
  private readonly fs: TreeFs;
  private readonly wish: EndWish;
  private readonly loaded: Loaded;
  private patchProblem: Diagnostic | undefined;

  constructor(fs: TreeFs, wish: EndWish, loaded: Loaded) {
    this.fs = fs;
    this.wish = wish;
    this.loaded = loaded;
  }

  /** While the zone is being built: nothing comes of it (src/workspace/rehearse.ts). */
  rehearse(prepared: PreparedTask): void {
    const layers = rehearse(this.fs, prepared);
    const finished: Finished = { fate: "unchanged", layers, obstacles: [] };
    outcomeOf(finished, { finishedAt: 0, repo: undefined, prepared, problem: undefined }, noOutcome);
  }

  /** No task ran. */
  undo({ tasks, task }: PreparedTask): void {
    removeTask(this.fs, tasks, task);
  }

  /** Reads the changes and does with them as asked. */
  conclude({ report, verdict, repo, prepared, patch }: EndedRun, before: RunOutcome): RunOutcome {
    const { task_id: taskId } = prepared.record;
    const end = { at: new Date(report.finishedAt).toISOString(), status: verdict.status, exit_code: verdict.exitCode };
    const withChanges = (task: number) => this.writePatch(task, prepared, patch);
    let finished: Finished;
    try {
      finished = finishTask(this.fs, prepared, { end, fate: this.wanted(verdict), withChanges });
    } catch (error) {
      if (!(error instanceof TreeError)) throw error;
      const message = `the task's changes can't be read: ${error.step} ${error.path}: ${errnoName(error.errno)}; they are kept as ${taskId}`;
      const workspace = { mode: repo?.mode ?? "overlay", mechanism: null, state: "kept" } as const;
      return { ...before, workspace, error: errorOfDiagnostics([{ code: "setup_failed", message }], "apply") };
    }
    // The file says what this run changed, also when that is nothing.
    if (finished.fate === "unchanged") this.writePatch(-1, prepared, patch);
    const problem = applyProblem(finished, taskId) ?? this.patchProblem;
    return outcomeOf(finished, { finishedAt: report.finishedAt, repo, prepared, problem }, before);
  }

  private wanted(verdict: Verdict): "keep" | "discard" | typeof applyTask {
    const { onSuccess } = this.wish;
    if (verdict.status !== "succeeded") return "keep";
    return onSuccess === "apply" ? (this.loaded.apply ?? "keep") : onSuccess;
  }

  private writePatch(task: number, prepared: PreparedTask, output: OutputFile | number | undefined): void {
    const file = this.wish.patchFile;
    if (file === undefined || this.loaded.patch === undefined) return;
    const files =
      task < 0 ? [] : (this.loaded.patch(this.fs, task, prepared.record, { binary: "patch" })[0]?.files ?? []);
    const text = files.map((each) => each.text).join("");
    const errno = typeof output === "object" ? output.write(Buffer.from(text, "latin1")) : (output ?? 0);
    if (errno === 0) return;
    const message = `the patch can't be written to ${file}: ${errnoName(errno)}`;
    this.patchProblem = { code: "setup_failed", message, origin: { kind: "flag", flag: "--patch" } };
  }
}

interface Circumstances {
  readonly finishedAt: number;
  readonly repo: SandboxRequest["repo"];
  readonly prepared: PreparedTask;
  readonly problem: Diagnostic | undefined;
}

/** What the result says of it. */
function outcomeOf(
  { fate, layers }: Finished,
  { finishedAt, repo, prepared, problem }: Circumstances,
  before: RunOutcome,
): RunOutcome {
  const { changes, omitted } = describeChanges(layers);
  const reached: string[] = [];
  for (const layer of layers) for (const { path } of laterRunChanges(layer)) reached.push(path);
  const mechanism = prepared.layers[0]?.mechanism ?? null;
  const fateEvent: WorkspaceEvent = {
    at: finishedAt,
    name: `fs.changes.${fate}`,
    outcome: problem === undefined ? "succeeded" : "failed",
    level: problem === undefined ? "info" : "error",
    extra: {
      changes: changes.length + omitted,
      ...(problem === undefined ? {} : { "error.message": problem.message }),
    },
  };
  const told = fate === "applied" ? "was written" : "was changed in the layer";
  return {
    changes,
    changesOmitted: omitted,
    workspace: { mode: repo?.mode ?? "overlay", mechanism, state: fate },
    events: [...before.events, fateEvent, ...laterRunEvents(finishedAt, reached)],
    error: problem === undefined ? null : errorOfDiagnostics([problem], "apply"),
    warnings: [...before.warnings, ...laterRunWarnings(reached, told)],
  };
}
