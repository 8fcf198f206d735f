import type { Backend, HostIo, OutputFile } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { Policy } from "../run/policy/policy.ts";
import { errnoName } from "../run/report/errno.ts";
import { errorOfDiagnostics } from "../run/report/errors.ts";
import type { Report } from "../run/report/report.ts";
import type { Verdict } from "../run/report/verdict.ts";
import type { CopyOnWriteLayer, SandboxRequest } from "../run/request.ts";
import type { WorkspaceEvent } from "../run/result/events.ts";
import type { WorkspaceOutcome } from "../run/result/project.ts";
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
import type { RwWorkspace } from "./rw-workspace.ts";
import { applyProblem, laterRunEvents, laterRunWarnings } from "./workspace-words.ts";

/** What came of a step before the zone. */
export type Readied =
  | { readonly ok: true; readonly layers: readonly CopyOnWriteLayer[]; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

type WorkspaceWish = Pick<SandboxInvocation, "onSuccess" | "patchFile">;

/** What only some invocations need, loaded for those. */
interface Parts {
  readonly patch: typeof patchTask | undefined;
  readonly apply: typeof applyTask | undefined;
  readonly rw: RwWorkspace | undefined;
  readonly warnings: readonly Diagnostic[];
}

/** Opens the workspace's side of an invocation, with the code for what it asks for. */
export async function openWorkspaceRun(
  backend: Backend,
  request: SandboxRequest,
  wish: WorkspaceWish,
): Promise<WorkspaceRun> {
  const { repo } = request;
  const fs = await backend.trees();
  const patch = wish.patchFile === undefined ? undefined : (await import("../workspace/task-patch.ts")).patchTask;
  const apply = wish.onSuccess === "apply" ? (await import("../workspace/apply/apply.ts")).applyTask : undefined;
  const rw = repo?.mode === "rw" ? new (await import("./rw-workspace.ts")).RwWorkspace(fs, repo.path) : undefined;
  const git =
    repo !== undefined && hasGitFile(repo.path, backend.io)
      ? (await import("../workspace/git-view.ts")).withGitDirectory(fs, request)
      : { request, warnings: [] };
  return new WorkspaceRun(fs, backend.io, git.request, wish, { patch, apply, rw, warnings: git.warnings });
}

/** The workspace's side of one invocation: layers before the zone, and what becomes of them after it. */
export class WorkspaceRun {
  readonly #fs: TreeFs;
  /** The invocation's, with git's directory where that lies outside the workspace. */
  readonly request: SandboxRequest;
  readonly #invocation: WorkspaceWish;
  readonly #parts: Parts;
  #prepared: PreparedTask | undefined;
  #writable: readonly string[] = [];
  #patchProblem: Diagnostic | undefined;
  /** Opened before the zone: what the task makes of the place meanwhile does not count. */
  readonly #patchOutput: OutputFile | number | undefined;

  constructor(fs: TreeFs, io: HostIo, request: SandboxRequest, invocation: WorkspaceWish, parts: Parts) {
    this.#parts = parts;
    this.#fs = fs;
    this.request = request;
    this.#invocation = invocation;
    this.#patchOutput = invocation.patchFile === undefined ? undefined : io.openOutput(invocation.patchFile);
  }

  /** For --explain: where layers would be. Nothing is made. */
  planned(): CopyOnWriteLayer[] {
    return plannedLayers(wantedLayers(this.request), tasksPath(process.env) ?? "/", this.request.taskId);
  }

  /** Makes the layers; `refused` is why the kernel would not mount overlayfs: then they are copies. */
  ready(policy: Policy, refused?: string): Readied {
    const { taskId, commandHash } = this.request;
    if (typeof this.#patchOutput === "number") {
      return { ok: false, problems: [outputProblem("--patch", this.#invocation.patchFile ?? "", this.#patchOutput)] };
    }
    this.#writable = policy.filesystem.writablePaths;
    this.#parts.rw?.note();
    const wanted = wantedLayers(this.request);
    if (wanted.length === 0) return { ok: true, layers: [], warnings: this.#parts.warnings };
    const path = tasksPath(process.env);
    if (path === undefined) {
      const message = "there is no place for the task's changes: neither XDG_STATE_HOME nor HOME is set";
      return { ok: false, problems: [{ code: "setup_failed", message, hint: "set HOME" }] };
    }
    this.abandon();
    const identity = {
      task_id: taskId,
      command_hash: commandHash,
      policy: { name: policy.name, hash: policy.hash },
    };
    const mounts = this.#fs.mountPoints();
    const outcome = prepareTask(this.#fs, { wanted, tasksPath: path, identity, mounts, refused });
    if (!outcome.ok) return outcome;
    this.#prepared = outcome.prepared;
    return {
      ok: true,
      layers: outcome.prepared.layers,
      warnings: [...this.#parts.warnings, ...outcome.prepared.warnings],
    };
  }

  /** While the zone is being built. */
  readonly meanwhile = (): void => {
    if (this.#prepared !== undefined) rehearse(this.#fs, this.#prepared);
  };

  /** Nothing of the task ran: its layers go. */
  abandon(): void {
    if (this.#prepared !== undefined) removeTask(this.#fs, this.#prepared.tasks, this.#prepared.task);
    this.#prepared = undefined;
  }

  /** After the zone's end: reads the changes and does with them as asked. */
  finish(report: Report, verdict: Verdict): { readonly outcome: WorkspaceOutcome; readonly warnings: Diagnostic[] } {
    if (report.started === null) this.abandon();
    const { repo } = this.request;
    if (this.#prepared === undefined) return this.#finishShared(report);
    const prepared = this.#prepared;
    const end = { at: new Date(report.finishedAt).toISOString(), status: verdict.status, exit_code: verdict.exitCode };
    const then = this.#then(verdict);
    let finished: Finished;
    try {
      finished = finishTask(this.#fs, prepared, { end, then, withChanges: (task) => this.#writePatch(task, prepared) });
    } catch (error) {
      if (!(error instanceof TreeError)) throw error;
      const message = `the task's changes can't be read: ${error.step} ${error.path}: ${errnoName(error.errno)}; they are kept as ${this.request.taskId}`;
      return this.#failed(repo?.mode, { code: "setup_failed", message });
    }
    // The file says what this run changed, also when that is nothing.
    if (finished.fate === "unchanged") this.#writePatch(-1, prepared);
    const { changes, omitted } = describeChanges(finished.layers);
    const problem = applyProblem(finished, this.request.taskId) ?? this.#patchProblem;
    const reached = finished.layers.flatMap(laterRunChanges).map(({ path }) => path);
    return {
      outcome: {
        changes,
        changesOmitted: omitted,
        workspace: {
          mode: repo?.mode ?? "overlay",
          mechanism: prepared.layers[0]?.mechanism ?? null,
          state: finished.fate,
        },
        events: [this.#fateEvent(report, finished, problem), ...laterRunEvents(report, reached)],
        error: problem === undefined ? null : errorOfDiagnostics([problem], "apply"),
      },
      warnings: laterRunWarnings(reached, finished.fate === "applied" ? "was written" : "was changed in the layer"),
    };
  }

  #then(verdict: Verdict): "keep" | "discard" | typeof applyTask {
    const { onSuccess } = this.#invocation;
    if (verdict.status !== "succeeded") return "keep";
    return onSuccess === "apply" ? (this.#parts.apply ?? "keep") : onSuccess;
  }

  /** `rw` and `ro`: nothing is kept apart. */
  #finishShared(report: Report): { readonly outcome: WorkspaceOutcome; readonly warnings: Diagnostic[] } {
    const { repo, taskId } = this.request;
    const held = this.#parts.rw?.hold(report, taskId, this.#writable) ?? { events: [], warnings: [] };
    const workspace = repo === undefined ? null : ({ mode: repo.mode, mechanism: null, state: null } as const);
    const outcome = { changes: [], changesOmitted: 0, workspace, events: held.events, error: null };
    return { outcome, warnings: held.warnings };
  }

  #failed(mode: "overlay" | "rw" | "ro" | undefined, problem: Diagnostic) {
    const workspace = { mode: mode ?? "overlay", mechanism: null, state: "kept" } as const;
    const error = errorOfDiagnostics([problem], "apply");
    return { outcome: { changes: [], changesOmitted: 0, workspace, events: [], error }, warnings: [] };
  }

  #writePatch(task: number, prepared: PreparedTask): void {
    const file = this.#invocation.patchFile;
    if (file === undefined || this.#parts.patch === undefined) return;
    const files =
      task < 0 ? [] : (this.#parts.patch(this.#fs, task, prepared.record, { binary: "patch" })[0]?.files ?? []);
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
