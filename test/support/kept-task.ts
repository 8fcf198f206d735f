/** Kept tasks made by hand: a layer may hold what no task could have written. */
import { mkdirSync } from "node:fs";
import { treeFs as fs } from "../../src/linux/tree/tree-fs.ts";
import { type ApplyOutcome, type ApplyWish, applyTask } from "../../src/workspace/apply/apply.ts";
import { openMade } from "../../src/workspace/files.ts";
import { createTask, type OpenTask } from "../../src/workspace/store.ts";
import { taskChanges } from "../../src/workspace/task-layers.ts";
import type { TaskRecord } from "../../src/workspace/task-record.ts";
import { makeFolder } from "./folders.ts";

export interface HandMade {
  readonly folder: string;
  readonly repo: string;
  /** The upper directory of the layer. */
  readonly upper: string;
  readonly tasks: number;
  readonly task: OpenTask;
  readonly record: TaskRecord;
}

let made = 0;

/** A repository, an overlayfs layer on it, and beside both a folder `outside` that nothing may touch. */
export function handMadeTask(
  fill: (paths: { repo: string; upper: string; outside: string }) => void,
  startedNs?: bigint,
): HandMade {
  const folder = makeFolder("kept");
  const repo = `${folder}/repo`;
  const outside = `${folder}/outside`;
  mkdirSync(repo);
  mkdirSync(outside);
  const tasks = openMade(fs, `${folder}/state/rauha/tasks`);
  const id = `task_${(made++).toString(16).padStart(20, "0")}`;
  const upper = `${folder}/state/rauha/tasks/${id}/0/upper`;
  let record: TaskRecord | undefined;
  const task = createTask(fs, tasks, id, (dir) => {
    fs.makeDirectory(dir, "0", 0o700);
    const storage = fs.directory(dir, "0");
    for (const name of ["upper", "work"]) fs.makeDirectory(storage, name, 0o755);
    fs.close(storage);
    record = recordOf(id, repo, startedNs ?? fs.now());
    return record;
  });
  fill({ repo, upper, outside });
  // What the test wrote to the repository was there when the task started.
  const started = recordOf(id, repo, startedNs ?? fs.now() + 10_000_000n);
  return { folder, repo, upper, tasks, task, record: started };
}

function recordOf(id: string, repo: string, startedNs: bigint): TaskRecord {
  return {
    version: 1,
    task_id: id,
    command_hash: "sha256:00",
    policy: { name: "task", hash: "sha256:00" },
    started_ns: String(startedNs),
    started_at: "2026-01-01T00:00:00.000Z",
    layers: [{ source: repo, target: repo, mechanism: "overlayfs" }],
  };
}

export function applyHandMade(made: HandMade, wish: Partial<ApplyWish> = {}): ApplyOutcome {
  return applyTask(fs, made.task.fd, made.record, { force: false, ...wish });
}

/** `path: kind` of every change. */
export function changesOf(made: HandMade): Record<string, string> {
  const [layer] = taskChanges(fs, made.task.fd, made.record);
  return Object.fromEntries(layer?.changes.map(({ path, kind }) => [path, kind]) ?? []);
}

/** Sets an extended attribute; node:fs can't. */
export function setAttribute(path: string, key: string, value: string): void {
  const slash = path.lastIndexOf("/");
  const parent = fs.root(path.slice(0, slash));
  const name = Buffer.from(path.slice(slash + 1)).toString("latin1");
  const fd = fs.stat(parent, name)?.type === "directory" ? fs.directory(parent, name) : fs.openFile(parent, name);
  fs.setAttribute(fd, key, Buffer.from(value));
  fs.close(fd);
  fs.close(parent);
}

export function makeWhiteout(path: string): void {
  const slash = path.lastIndexOf("/");
  const parent = fs.root(path.slice(0, slash));
  fs.makeWhiteout(parent, Buffer.from(path.slice(slash + 1)).toString("latin1"));
  fs.close(parent);
}
