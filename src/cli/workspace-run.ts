import type { Backend, HostIo, OutputFile } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import { errnoName } from "../run/report/errno.ts";
import { errorOfDiagnostics } from "../run/report/errors.ts";
import type { Report } from "../run/report/report.ts";
import type { Verdict } from "../run/report/verdict.ts";
import type { CopyOnWriteLayer, SandboxRequest } from "../run/request.ts";
import type { WorkspaceEvent } from "../run/result/events.ts";
import type { RunOutcome } from "../run/result/project.ts";
import type { PreparedPart, RunPart } from "../run/run-part.ts";
import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import type { applyTask } from "../workspace/apply/apply.ts";
import { describeChanges } from "../workspace/describe.ts";
import { type Finished, finishTask, laterRunChanges } from "../workspace/finish.ts";
import { type PreparedTask, plannedLayers, prepareTask, wantedLayers } from "../workspace/prepare.ts";
import { rehearse } from "../workspace/rehearse.ts";
import { removeTask, tasksPath } from "../workspace/store.ts";
import type { patchTask } from "../workspace/task-patch.ts";
import type { SandboxInvocation } from "./flags/sandbox.ts";
import { hasGitFile } from "./git-file.ts";
import { outputProblem } from "./result-sink.ts";
import { applyProblem, laterRunEvents, laterRunWarnings } from "./workspace-words.ts";

type WorkspaceWish = Pick<SandboxInvocation, "explain" | "onSuccess" | "patchFile">;

/** What only some invocations need, loaded for those. */
interface Loaded {
  readonly patch: typeof patchTask | undefined;
  readonly apply: typeof applyTask | undefined;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Opens the workspace's side of a run, with the code for what it asks for: the layers, and in `rw` mode the guard of files that run
 * later. The inputs have git's directory where that lies outside the workspace, and for --explain where the layers would be.
 */
export async function openWorkspaceRun(
  backend: Backend,
  inputs: PlanInputs,
  wish: WorkspaceWish,
): Promise<{ readonly inputs: PlanInputs; readonly parts: readonly RunPart[] }> {
  const { repo } = inputs.request;
  const fs = await backend.trees();
  const patch = wish.patchFile === undefined ? undefined : (await import("../workspace/task-patch.ts")).patchTask;
  const apply = wish.onSuccess === "apply" ? (await import("../workspace/apply/apply.ts")).applyTask : undefined;
  const { request, warnings } =
    repo !== undefined && hasGitFile(repo.path, backend.io)
      ? (await import("../workspace/git-view.ts")).withGitDirectory(fs, inputs.request)
      : { request: inputs.request, warnings: [] };
  const layers = new WorkspaceRun(fs, backend.io, request, wish, { patch, apply, warnings });
  const guard = repo?.mode === "rw" ? [new (await import("./rw-workspace.ts")).RwWorkspace(fs, repo.path)] : [];
  const shown = wish.explain ? { ...request, copyOnWrite: layers.planned() } : request;
  return { inputs: { ...inputs, request: shown }, parts: [layers, ...guard] };
}

/** The layers of one run: made before the zone, and after it read, and done with as asked. */
export class WorkspaceRun implements RunPart {
  readonly #fs: TreeFs;
  readonly #request: SandboxRequest;
  readonly #wish: WorkspaceWish;
  readonly #loaded: Loaded;
  #prepared: PreparedTask | undefined;
  #patchProblem: Diagnostic | undefined;
  /** Opened before the zone: what the task makes of the place meanwhile does not count. */
  readonly #patchOutput: OutputFile | number | undefined;

  constructor(fs: TreeFs, io: HostIo, request: SandboxRequest, wish: WorkspaceWish, loaded: Loaded) {
    this.#loaded = loaded;
    this.#fs = fs;
    this.#request = request;
    this.#wish = wish;
    this.#patchOutput = wish.patchFile === undefined ? undefined : io.openOutput(wish.patchFile);
  }

  /** For --explain: where layers would be. Nothing is made. */
  planned(): CopyOnWriteLayer[] {
    return plannedLayers(wantedLayers(this.#request), tasksPath(process.env) ?? "/", this.#request.taskId);
  }

  /** Makes the layers; `refused` is why the kernel would not mount overlayfs: then they are copies. */
  prepare(inputs: PlanInputs, refused?: string): PreparedPart {
    const { taskId, commandHash } = this.#request;
    if (typeof this.#patchOutput === "number") {
      return { ok: false, diagnostics: [outputProblem("--patch", this.#wish.patchFile ?? "", this.#patchOutput)] };
    }
    const wanted = wantedLayers(this.#request);
    if (wanted.length === 0) return { ok: true, inputs, warnings: this.#loaded.warnings };
    const path = tasksPath(process.env);
    if (path === undefined) {
      const message = "there is no place for the task's changes: neither XDG_STATE_HOME nor HOME is set";
      return { ok: false, diagnostics: [{ code: "setup_failed", message, hint: "set HOME" }] };
    }
    const { name, hash } = inputs.policy;
    const identity = { task_id: taskId, command_hash: commandHash, policy: { name, hash } };
    const mounts = this.#fs.mountPoints();
    const outcome = prepareTask(this.#fs, { wanted, tasksPath: path, identity, mounts, refused });
    if (!outcome.ok) return { ok: false, diagnostics: outcome.problems };
    const { layers, warnings } = outcome.prepared;
    this.#prepared = outcome.prepared;
    return {
      ok: true,
      inputs: { ...inputs, request: { ...inputs.request, copyOnWrite: layers } },
      warnings: [...this.#loaded.warnings, ...warnings],
    };
  }

  meanwhile(): void {
    if (this.#prepared !== undefined) rehearse(this.#fs, this.#prepared);
  }

  undo(): void {
    if (this.#prepared !== undefined) removeTask(this.#fs, this.#prepared.tasks, this.#prepared.task);
    this.#prepared = undefined;
  }

  /** Reads the changes and does with them as asked. */
  conclude(report: Report, verdict: Verdict, before: RunOutcome): RunOutcome {
    const { repo } = this.#request;
    if (this.#prepared === undefined) {
      return repo === undefined ? before : { ...before, workspace: { mode: repo.mode, mechanism: null, state: null } };
    }
    const prepared = this.#prepared;
    const end = { at: new Date(report.finishedAt).toISOString(), status: verdict.status, exit_code: verdict.exitCode };
    const then = this.#then(verdict);
    let finished: Finished;
    try {
      finished = finishTask(this.#fs, prepared, { end, then, withChanges: (task) => this.#writePatch(task, prepared) });
    } catch (error) {
      if (!(error instanceof TreeError)) throw error;
      const message = `the task's changes can't be read: ${error.step} ${error.path}: ${errnoName(error.errno)}; they are kept as ${this.#request.taskId}`;
      const workspace = { mode: repo?.mode ?? "overlay", mechanism: null, state: "kept" } as const;
      return { ...before, workspace, error: errorOfDiagnostics([{ code: "setup_failed", message }], "apply") };
    }
    // The file says what this run changed, also when that is nothing.
    if (finished.fate === "unchanged") this.#writePatch(-1, prepared);
    const { changes, omitted } = describeChanges(finished.layers);
    const problem = applyProblem(finished, this.#request.taskId) ?? this.#patchProblem;
    const reached = finished.layers.flatMap(laterRunChanges).map(({ path }) => path);
    return {
      changes,
      changesOmitted: omitted,
      workspace: {
        mode: repo?.mode ?? "overlay",
        mechanism: prepared.layers[0]?.mechanism ?? null,
        state: finished.fate,
      },
      events: [...before.events, this.#fateEvent(report, finished, problem), ...laterRunEvents(report, reached)],
      error: problem === undefined ? null : errorOfDiagnostics([problem], "apply"),
      warnings: [
        ...before.warnings,
        ...laterRunWarnings(reached, finished.fate === "applied" ? "was written" : "was changed in the layer"),
      ],
    };
  }

  #then(verdict: Verdict): "keep" | "discard" | typeof applyTask {
    const { onSuccess } = this.#wish;
    if (verdict.status !== "succeeded") return "keep";
    return onSuccess === "apply" ? (this.#loaded.apply ?? "keep") : onSuccess;
  }

  #writePatch(task: number, prepared: PreparedTask): void {
    const file = this.#wish.patchFile;
    if (file === undefined || this.#loaded.patch === undefined) return;
    const files =
      task < 0 ? [] : (this.#loaded.patch(this.#fs, task, prepared.record, { binary: "patch" })[0]?.files ?? []);
    const text = files.map((each) => each.text).join("");
    const output = this.#patchOutput;
    const errno = typeof output === "object" ? output.write(Buffer.from(text, "latin1")) : (output ?? 0);
    if (errno === 0) return;
    const message = `the patch can't be written to ${file}: ${errnoName(errno)}`;
    this.#patchProblem = { code: "setup_failed", message, origin: { kind: "flag", flag: "--patch" } };
  }

  #fateEvent(report: Report, finished: Finished, problem: Diagnostic | undefined): WorkspaceEvent {
    const count = finished.layers.reduce((sum, { changes }) => sum + changes.length, 0);
    return {
      at: report.finishedAt,
      name: `fs.changes.${finished.fate}`,
      outcome: problem === undefined ? "succeeded" : "failed",
      level: problem === undefined ? "info" : "error",
      extra: { changes: count, ...(problem === undefined ? {} : { "error.message": problem.message }) },
    };
  }
}
