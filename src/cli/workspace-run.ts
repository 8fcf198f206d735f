import type { Backend, OutputFile } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { Report } from "../run/report/report.ts";
import type { Verdict } from "../run/report/verdict.ts";
import type { CopyOnWriteLayer, SandboxRequest } from "../run/request.ts";
import type { RunOutcome } from "../run/result/project.ts";
import type { PreparedPart, RunPart } from "../run/run-part.ts";
import type { TaskFs } from "../run/tree-fs.ts";
import {
  type PreparedTask,
  type PrepareInput,
  type PrepareOutcome,
  prepareTask,
  wantedLayers,
} from "../workspace/prepare.ts";
import { tasksPath } from "../workspace/store.ts";
import type { SandboxInvocation } from "./flags/sandbox.ts";
import { hasGitFile } from "./git-file.ts";
import { outputProblem } from "./result-sink.ts";
import type { WorkspaceEnd } from "./workspace-end.ts";

type WorkspaceWish = Pick<SandboxInvocation, "explain" | "onSuccess" | "patchFile">;

/**
 * Opens the workspace's side of a run: the layers, and in `rw` mode the guard of files that run later. The inputs have git's directory
 * where that lies outside the workspace, and for --explain where the layers would be.
 */
export async function openWorkspaceRun(
  backend: Backend,
  inputs: PlanInputs,
  wish: WorkspaceWish,
): Promise<{ readonly inputs: PlanInputs; readonly parts: readonly RunPart[] }> {
  const fs = await backend.taskTrees();
  const { request } = inputs;
  const { repo } = request;
  const hasGit = repo !== undefined && hasGitFile(repo.path, backend.io);
  if (!hasGit && !wish.explain && repo?.mode !== "rw")
    return { inputs, parts: [new WorkspaceRun(fs, backend, request, wish, [])] };
  const trees = await backend.trees();
  const git = hasGit
    ? (await import("../workspace/git-view.ts")).withGitDirectory(trees, request)
    : { request, warnings: [] };
  const layers = new WorkspaceRun(fs, backend, git.request, wish, git.warnings);
  const guard = repo?.mode === "rw" ? [new (await import("./rw-workspace.ts")).RwWorkspace(trees, repo.path)] : [];
  const shown = wish.explain ? { ...git.request, copyOnWrite: layers.planned() } : git.request;
  return { inputs: { ...inputs, request: shown }, parts: [layers, ...guard] };
}

/**
 * The layers of one run: made before the zone, and (src/cli/workspace-end.ts, loaded while the zone is being built) after it read, and
 * done with as asked.
 */
export class WorkspaceRun implements RunPart {
  private readonly fs: TaskFs;
  private readonly backend: Backend;
  private readonly request: SandboxRequest;
  private readonly wish: WorkspaceWish;
  private readonly warnings: readonly Diagnostic[];
  private prepared: PreparedTask | undefined;
  private ending: WorkspaceEnd | undefined;
  /** Opened before the zone: what the task makes of the place meanwhile does not count. */
  private readonly patchOutput: OutputFile | number | undefined;

  constructor(
    fs: TaskFs,
    backend: Backend,
    request: SandboxRequest,
    wish: WorkspaceWish,
    warnings: readonly Diagnostic[],
  ) {
    this.fs = fs;
    this.backend = backend;
    this.request = request;
    this.wish = wish;
    this.warnings = warnings;
    this.patchOutput = wish.patchFile === undefined ? undefined : backend.io.openOutput(wish.patchFile);
  }

  /** For --explain: where layers would be, made with overlayfs. Nothing is made. */
  planned(): CopyOnWriteLayer[] {
    const place = `${tasksPath(process.env) ?? "/"}/${this.request.taskId}`;
    return wantedLayers(this.request).map(({ target }, index) => ({
      target,
      storage: `${place}/${index}`,
      mechanism: "overlayfs",
    }));
  }

  /** Makes the layers; `refused` is why the kernel would not mount overlayfs: then they are copies. */
  prepare(inputs: PlanInputs, refused?: string): PreparedPart | Promise<PreparedPart> {
    if (typeof this.patchOutput === "number") {
      return { ok: false, diagnostics: [outputProblem("--patch", this.wish.patchFile ?? "", this.patchOutput)] };
    }
    const wanted = wantedLayers(this.request);
    if (wanted.length === 0) return { ok: true, inputs, warnings: this.warnings };
    const path = tasksPath(process.env);
    if (path === undefined) {
      const message = "there is no place for the task's changes: neither XDG_STATE_HOME nor HOME is set";
      return { ok: false, diagnostics: [{ code: "setup_failed", message, hint: "set HOME" }] };
    }
    const { name, hash } = inputs.policy;
    const { taskId, commandHash } = this.request;
    const identity = { task_id: taskId, command_hash: commandHash, policy: { name, hash } };
    const input = { wanted, tasksPath: path, identity, refused };
    const outcome = refused === undefined ? prepareTask(this.fs, input) : ({ kind: "uncommon" } as const);
    return outcome.kind === "ready"
      ? this.ready(inputs, outcome.prepared)
      : this.prepareUncommon(inputs, input, outcome);
  }

  private ready(inputs: PlanInputs, prepared: PreparedTask): PreparedPart {
    this.prepared = prepared;
    return {
      ok: true,
      inputs: { ...inputs, request: { ...inputs.request, copyOnWrite: prepared.layers } },
      warnings: [...this.warnings, ...prepared.warnings],
    };
  }

  private async prepareUncommon(inputs: PlanInputs, input: PrepareInput, first: PrepareOutcome): Promise<PreparedPart> {
    const trees = await this.backend.trees();
    const { removeUnborn, uncommonWays } = await import("../workspace/uncommon.ts");
    const outcome = first.kind === "uncommon" ? prepareTask(this.fs, input, uncommonWays(trees)) : first;
    if (outcome.kind === "ready") return this.ready(inputs, outcome.prepared);
    if (outcome.kind === "uncommon") throw new Error("a layer is asked for in a way that there is none of");
    if (outcome.tasks !== undefined) removeUnborn(trees, outcome.tasks, input.identity.task_id);
    return { ok: false, diagnostics: outcome.problems };
  }

  async meanwhile(): Promise<void> {
    if (this.prepared !== undefined) (await this.loadEnd()).rehearse(this.prepared);
  }

  private async loadEnd(): Promise<WorkspaceEnd> {
    if (this.ending === undefined) {
      const { openWorkspaceEnd } = await import("./workspace-end.ts");
      this.ending = await openWorkspaceEnd(this.backend, this.wish);
    }
    return this.ending;
  }

  async undo(): Promise<void> {
    const prepared = this.prepared;
    this.prepared = undefined;
    if (prepared !== undefined) (await this.loadEnd()).undo(prepared);
  }

  conclude(report: Report, verdict: Verdict, before: RunOutcome): RunOutcome {
    const { repo } = this.request;
    if (this.prepared !== undefined && this.ending !== undefined)
      return this.ending.conclude({ report, verdict, repo, prepared: this.prepared, patch: this.patchOutput }, before);
    return repo === undefined ? before : { ...before, workspace: { mode: repo.mode, mechanism: null, state: null } };
  }
}
