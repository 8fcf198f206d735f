import type { Diagnostic, Origin } from "../run/diagnostic.ts";
import { errnoWords } from "../run/report/errno.ts";
import type { CopyOnWriteLayer, SandboxRequest } from "../run/request.ts";
import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import { isInside } from "./bytes.ts";
import { makeCopy } from "./copy.ts";
import { openMade } from "./files.ts";
import { createTask, type OpenTask } from "./store.ts";
import type { CopyMechanism, TaskRecord } from "./task-record.ts";
import { TreeCursor } from "./tree-cursor.ts";

/** A directory of the host that a request wants copy-on-write. */
export interface Wanted {
  readonly source: string;
  readonly target: string;
  readonly origin: Origin;
}

/** The copy-on-write directories of a request, the workspace first. */
export function wantedLayers(request: Pick<SandboxRequest, "repo" | "view">): Wanted[] {
  const { repo, view } = request;
  const workspace =
    repo?.mode === "overlay" ? [{ source: repo.path, target: repo.target ?? repo.path, origin: repo.origin }] : [];
  return [...workspace, ...view.flatMap((entry) => (entry.kind === "overlay-bind" ? [entry] : []))];
}

/** Where the planner finds the layers of a task that will be made with overlayfs. Nothing is touched. */
export function plannedLayers(wanted: readonly Wanted[], tasks: string, taskId: string): CopyOnWriteLayer[] {
  return wanted.map(({ target }, index) => ({
    target,
    storage: `${tasks}/${taskId}/${index}`,
    mechanism: "overlayfs",
  }));
}

/** A task whose layers are ready to be worked in. */
export interface PreparedTask {
  readonly tasks: number;
  readonly task: OpenTask;
  readonly record: TaskRecord;
  readonly layers: readonly CopyOnWriteLayer[];
  readonly warnings: readonly Diagnostic[];
}

export interface PrepareInput {
  readonly wanted: readonly Wanted[];
  readonly tasksPath: string;
  readonly identity: Pick<TaskRecord, "task_id" | "command_hash" | "policy">;
  /** Mount points of the host. */
  readonly mounts: readonly string[];
  /** Set when the kernel has refused overlayfs: every layer is a copy then. */
  readonly refused?: string | undefined;
}

export type Prepared =
  | { readonly ok: true; readonly prepared: PreparedTask }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

/**
 * Makes the layers of a task on disk. overlayfs needs attributes and deletion marks of the file system the layer lies on, and sees
 * no mounts below the directory: where that fails, the layer is a copy, and says why.
 */
export function prepareTask(fs: TreeFs, input: PrepareInput): Prepared {
  let tasks = -1;
  try {
    tasks = openMade(fs, input.tasksPath);
    const tasksPath = fs.pathOf(tasks);
    const sources: string[] = [];
    const problems: Diagnostic[] = [];
    for (const wanted of input.wanted) {
      const source = checkSource(fs, wanted, tasksPath);
      if (typeof source === "string") sources.push(source);
      else problems.push(source);
    }
    if (problems.length === 0) return { ok: true, prepared: makeTask(fs, { ...input, tasksPath }, tasks, sources) };
    fs.close(tasks);
    return { ok: false, problems };
  } catch (error) {
    if (tasks >= 0) fs.close(tasks);
    if (!(error instanceof TreeError)) throw error;
    const step = `${error.step} ${error.path}`.trim();
    const message = `the layer for the task's changes can't be made in ${input.tasksPath}: ${step}: ${errnoWords(error.errno)}`;
    const hint = "make room there, or set XDG_STATE_HOME to another directory of yours";
    return { ok: false, problems: [{ code: "setup_failed", message, hint }] };
  }
}

/** The real path of a directory that may be shown copy-on-write. */
function checkSource(fs: TreeFs, { source, origin }: Wanted, tasksPath: string): string | Diagnostic {
  const real = realPath(fs, source);
  if (typeof real === "number") {
    const code = real === ENOENT ? "not_found" : real === EACCES ? "permission" : "invalid_argument";
    return { code, message: `${source} can't be opened as a directory: ${errnoWords(real)}`, origin };
  }
  if (!isInside(tasksPath, real)) return real;
  const message = `${source} holds Rauha's own state (${tasksPath}), where its changes would be kept`;
  const hint = "set XDG_STATE_HOME to a directory outside it, or name a smaller directory";
  return { code: "invalid_argument", message, origin, hint };
}

function makeTask(fs: TreeFs, input: PrepareInput, tasks: number, sources: readonly string[]): PreparedTask {
  const { tasksPath, identity, wanted } = input;
  const started = fs.now();
  const layers: CopyOnWriteLayer[] = [];
  const warnings: Diagnostic[] = [];
  let record: TaskRecord = {
    version: 1,
    ...identity,
    started_ns: String(started),
    started_at: new Date(Number(started / 1_000_000n)).toISOString(),
    layers: [],
  };
  const task = createTask(fs, tasks, identity.task_id, (dir) => {
    const layerRecords = wanted.map(({ target, origin }, index) => {
      const source = sources[index] ?? target;
      const made = makeLayer(fs, dir, index, source, input);
      layers.push({ target, storage: `${tasksPath}/${identity.task_id}/${index}`, ...made.layer });
      for (const message of made.leftOut) warnings.push({ code: "unenforceable", message, origin });
      return { source, target, mechanism: made.layer.mechanism };
    });
    record = { ...record, layers: layerRecords };
    return record;
  });
  return { tasks, task, record, layers, warnings };
}

interface MadeLayer {
  readonly layer: { readonly mechanism: CopyMechanism; readonly reason?: string | undefined };
  readonly leftOut: readonly string[];
}

function makeLayer(fs: TreeFs, dir: number, index: number, source: string, input: PrepareInput): MadeLayer {
  fs.makeDirectory(dir, String(index), 0o700);
  const storage = fs.directory(dir, String(index));
  const host = new TreeCursor(fs, fs.root(source));
  try {
    const reason = input.refused ?? reasonToCopy(fs, storage, source, input.mounts);
    const name = reason === undefined ? "upper" : "copy";
    fs.makeDirectory(storage, name, 0o700);
    if (reason === undefined) fs.makeDirectory(storage, "work", 0o700);
    const root = fs.directory(storage, name);
    try {
      const outcome = reason === undefined ? undefined : makeCopy(fs, host, root, storage);
      likeHost(fs, root, host);
      if (outcome === undefined) return { layer: { mechanism: "overlayfs" }, leftOut: [] };
      return { layer: { mechanism: outcome.mechanism, reason }, leftOut: leftOutWords(source, outcome.leftOut) };
    } finally {
      fs.close(root);
    }
  } finally {
    host.close();
    fs.close(storage);
  }
}

/** The layer's root is what the task sees as the directory itself. */
function likeHost(fs: TreeFs, root: number, host: TreeCursor): void {
  const [own, stat] = [fs.stat(root, ""), host.stat("")];
  if (own === undefined || stat === undefined) return;
  if (own.uid === 0 && (stat.uid !== 0 || stat.gid !== 0)) fs.setOwner(root, stat.uid, stat.gid);
  fs.setMode(root, stat.mode & 0o1777);
}

/** Why overlayfs can't be here; undefined when nothing speaks against it. Found out by doing what overlayfs will do. */
function reasonToCopy(fs: TreeFs, storage: number, source: string, mounts: readonly string[]): string | undefined {
  const below = mounts.find((mount) => mount !== source && isInside(mount, source));
  if (below !== undefined) return `something is mounted at ${below}, which overlayfs would not show`;
  try {
    fs.makeWhiteout(storage, "probe");
    fs.unlink(storage, "probe");
    fs.setAttribute(storage, "user.overlay.probe", new Uint8Array([0x79]));
    return undefined;
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    return `the file system of the state directory can't hold a layer of overlayfs: ${error.step}: ${errnoWords(error.errno)}`;
  }
}

function leftOutWords(source: string, leftOut: readonly { readonly path: string; readonly why: string }[]): string[] {
  const [first] = leftOut;
  if (first === undefined) return [];
  const more = leftOut.length === 1 ? "" : ` and ${leftOut.length - 1} more`;
  return [`the copy of ${source} lacks ${Buffer.from(first.path, "latin1").toString()} (${first.why})${more}`];
}

function realPath(fs: TreeFs, path: string): string | number {
  try {
    const fd = fs.root(path);
    try {
      return fs.pathOf(fd);
    } finally {
      fs.close(fd);
    }
  } catch (error) {
    if (error instanceof TreeError) return error.errno;
    throw error;
  }
}

const ENOENT = 2;
const EACCES = 13;
