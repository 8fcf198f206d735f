import { removeTree } from "../run/remove-tree.ts";
import { type TaskFs, TreeError, type TreeFs } from "../run/tree-fs.ts";
import { readWhole } from "./files.ts";
import { decodeRecord, encodeFinish, encodeRecord, type FinishRecord, type TaskRecord } from "./task-record.ts";

/**
 * Kept tasks on disk, `tasks/TASK` in the user's state directory: a record, and a directory for each layer. A task comes and goes
 * by one rename. Who works on it holds the lock of its directory, which ends with the process: so a task whose record has no end
 * and whose lock is free was interrupted, whatever its pid is now.
 */

export const recordName = "task.json";
const taskPattern = /^task_[0-9a-z]+$/;
/** Names of what is not yet, or no longer, a task. */
const unborn = ".new-";
const gone = ".gone-";
const newbornNs = 2_000_000_000n;
const mostTries = 100_000;
const EAGAIN = 11;

/** `$XDG_STATE_HOME/rauha/tasks`, by default below ~/.local/state; undefined where neither is set. */
export function tasksPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_STATE_HOME: state, HOME: home } = env;
  if (state?.startsWith("/")) return `${withoutEnd(state)}/rauha/tasks`;
  return home?.startsWith("/") ? `${withoutEnd(home)}/.local/state/rauha/tasks` : undefined;
}

/** A path without slashes at its end. */
function withoutEnd(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/** A task's directory, open and locked. */
export interface OpenTask {
  readonly id: string;
  readonly fd: number;
  /** Its record, open for the line that the end of the run adds; -1 where the run is another's. */
  readonly record: number;
}

/**
 * Makes a task's directory as a whole: it has its layers, its record (which `fill` returns) and its lock when it gets its name. What
 * is there after a failure has another name, and is the caller's to remove (`removeUnborn`).
 */
export function createTask(fs: TaskFs, tasks: number, id: string, fill: (dir: number) => TaskRecord): OpenTask {
  const temporary = `${unborn}${id}`;
  fs.makeDirectory(tasks, temporary, 0o700);
  const fd = fs.directory(tasks, temporary);
  // Who sweeps holds it for a look, no longer: what is new and empty is left alone.
  for (let tries = 1; !fs.lock(fd); tries++) if (tries === mostTries) throw new TreeError("lock", temporary, EAGAIN);
  const text = encodeRecord(fill(fd));
  const record = fs.createFile(fd, recordName);
  fs.write(record, text);
  fs.rename(tasks, temporary, tasks, id);
  return { id, fd, record };
}

/** Works in a directory that is no task and is gone afterwards, or swept after a kill. */
export function inUnborn(fs: TreeFs, tasks: number, id: string, work: (dir: number) => void): void {
  fs.makeDirectory(tasks, `${unborn}${id}`, 0o700);
  const fd = fs.directory(tasks, `${unborn}${id}`);
  try {
    fs.lock(fd);
    work(fd);
  } finally {
    fs.close(fd);
    removeUnborn(fs, tasks, id);
  }
}

/** Removes what a creation that failed has left. */
export function removeUnborn(fs: TreeFs, tasks: number, id: string): void {
  removeTree(fs, tasks, `${unborn}${id}`);
}

/** Adds the end of the run to a task's record: one line by one call, and half a line counts as none. */
export function finishRecord(fs: TreeFs, task: OpenTask, finish: FinishRecord): void {
  fs.write(task.record, encodeFinish(finish));
}

/** Takes a task's name away first, so that what remains after a kill is no task. Closes it. */
export function removeTask(fs: TreeFs, tasks: number, task: OpenTask): void {
  const name = `${gone}${task.id}`;
  fs.rename(tasks, task.id, tasks, name);
  removeTree(fs, tasks, name);
  fs.close(task.fd);
  if (task.record >= 0) fs.close(task.record);
}

/** A task whose changes are kept, or that runs. */
export interface KeptTask {
  readonly id: string;
  /** Undefined when the record can't be read. */
  readonly record: TaskRecord | undefined;
  /** Another process works on it: it runs, or is being applied. */
  readonly busy: boolean;
}

/** Every task, the latest first. */
export function listTasks(fs: TreeFs, tasks: number): KeptTask[] {
  const found: KeptTask[] = [];
  for (const id of fs.list(tasks)) {
    if (!taskPattern.test(id)) continue;
    const open = openEntry(fs, tasks, id);
    if (open === undefined) continue;
    found.push({ id, record: readRecord(fs, open.fd, id), busy: !open.locked });
    fs.close(open.fd);
  }
  return found.sort((a, b) => startOf(b) - startOf(a));
}

function startOf(task: KeptTask): number {
  return Number(task.record?.started_ns ?? 0);
}

/** The record in a task's directory; undefined for one that is damaged, of another version, or of another task. */
export function readRecord(fs: TreeFs, dir: number, id: string): TaskRecord | undefined {
  try {
    const bytes = readWhole(fs, dir, recordName, 1 << 20);
    const record = bytes === undefined ? undefined : decodeRecord(bytes);
    return record?.task_id === id ? record : undefined;
  } catch (error) {
    if (error instanceof TreeError) return undefined;
    throw error;
  }
}

/** Opens and locks a task; undefined while another process works on it, or when it is gone. */
export function openTask(fs: TreeFs, tasks: number, id: string): OpenTask | undefined {
  const open = openEntry(fs, tasks, id);
  if (open === undefined) return undefined;
  if (open.locked) return { id, fd: open.fd, record: -1 };
  fs.close(open.fd);
  return undefined;
}

/**
 * Removes what creations and removals left that were killed. The lock tells them from those under way. The names of what the system would
 * not let go.
 */
export function sweepTasks(fs: TreeFs, tasks: number): string[] {
  const kept: string[] = [];
  for (const name of fs.list(tasks)) {
    if (!name.startsWith(unborn) && !name.startsWith(gone)) continue;
    const open = openEntry(fs, tasks, name);
    if (open === undefined) continue;
    try {
      if (open.locked && !(name.startsWith(unborn) && isNewborn(fs, open.fd))) removeTree(fs, tasks, name);
    } catch (error) {
      if (!(error instanceof TreeError) || (error.errno !== EPERM && error.errno !== EACCES)) throw error;
      kept.push(name);
    } finally {
      fs.close(open.fd);
    }
  }
  return kept;
}

const [EPERM, EACCES] = [1, 13];

/** Made a moment ago, and perhaps by somebody who has not got the lock yet. */
function isNewborn(fs: TreeFs, fd: number): boolean {
  const made = fs.stat(fd, "")?.ctimeNs ?? 0n;
  return fs.now() - made < newbornNs && fs.list(fd).length === 0;
}

function openEntry(fs: TreeFs, tasks: number, name: string): { fd: number; locked: boolean } | undefined {
  try {
    const fd = fs.directory(tasks, name);
    return { fd, locked: fs.lock(fd) };
  } catch (error) {
    if (error instanceof TreeError) return undefined;
    throw error;
  }
}
