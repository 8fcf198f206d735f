import { laterRunReached } from "../run/later-run-files.ts";
import type { TreeError, TreeFs } from "../run/tree-fs.ts";
import type { applyTask, LayerObstacle } from "./apply/apply.ts";
import type { Change } from "./change.ts";
import { isGitLayer } from "./diff/git-directory.ts";
import type { PreparedTask } from "./prepare.ts";
import { finishRecord, removeTask } from "./store.ts";
import { type LayerChanges, taskChanges } from "./task-layers.ts";
import type { FinishRecord, TaskRecord } from "./task-record.ts";

/** What became of a task's changes. */
export type Fate = "unchanged" | "kept" | "applied" | "discarded";

/** What became of a task's changes. */
export interface Finished {
  readonly fate: Fate;
  readonly layers: readonly LayerChanges[];
  /** With --on-success apply: why the changes were kept instead. */
  readonly obstacles: readonly LayerObstacle[];
  readonly failed?: TreeError | undefined;
}

/** How a task ended, and what its changes are for. */
export interface FinishInput {
  readonly end: Omit<FinishRecord, "changes">;
  /** The function that applies them comes from the caller: few runs need its code. */
  readonly fate: "keep" | "discard" | typeof applyTask;
  /** Called with a task that has changes, before anything becomes of them. */
  readonly withChanges?: ((task: number, record: TaskRecord) => void) | undefined;
}

/** The end of a run: reads what was changed, and keeps, applies or forgets it. A task without changes leaves nothing. */
export function finishTask(fs: TreeFs, { tasks, task, record }: PreparedTask, input: FinishInput): Finished {
  const layers = taskChanges(fs, task.fd, record);
  const count = layers.reduce((sum, { changes }) => sum + changes.length, 0);
  if (count === 0) {
    removeTask(fs, tasks, task);
    return { fate: "unchanged", layers, obstacles: [] };
  }
  input.withChanges?.(task.fd, record);
  if (input.fate === "discard") {
    removeTask(fs, tasks, task);
    return { fate: "discarded", layers, obstacles: [] };
  }
  finishRecord(fs, task, { ...input.end, changes: count });
  if (input.fate === "keep") return { fate: "kept", layers, obstacles: [] };
  const outcome = input.fate(fs, task.fd, record, { force: false });
  if (!outcome.done) {
    if ("failed" in outcome) return { fate: "kept", layers, obstacles: [], failed: outcome.failed };
    return { fate: "kept", layers, obstacles: outcome.obstacles };
  }
  removeTask(fs, tasks, task);
  return { fate: "applied", layers, obstacles: [] };
}

/** What git writes for a linked worktree at each commit; the rest of its entry leads to configurations. */
const worktreeState = /^worktrees\/[^/]+(\/(?!(commondir|config\.worktree|gitdir)$).*)?$/;

/** A layer's changes that reach files which run later, outside the zone. */
export function laterRunChanges({ record, changes }: LayerChanges): Change[] {
  const inGit = isGitLayer(record.source);
  return changes.filter(({ path, after }) => {
    // All of them begin with a dot, and few of a task's changes do.
    if (!inGit && !path.startsWith(".")) return false;
    if (after === undefined || (inGit && worktreeState.test(path))) return false;
    const reached = laterRunReached(inGit ? `.git/${path}` : path);
    return reached.length > 0 && !isPlainParent(path, after);
  });
}

/** `.git` or `.claude` itself, as a directory, is no file that runs. */
function isPlainParent(path: string, after: NonNullable<Change["after"]>): boolean {
  return after.type === "directory" && (path === ".git" || path === ".claude");
}
