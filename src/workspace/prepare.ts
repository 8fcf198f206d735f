import { isBelow } from "../run/absolute-path.ts";
import type { Diagnostic, Origin } from "../run/diagnostic.ts";
import { errnoWords } from "../run/report/errno.ts";
import type { CopyOnWriteLayer, SandboxRequest } from "../run/request.ts";
import { type TaskFs, TreeError } from "../run/tree-fs.ts";
import { openMade } from "./files.ts";
import { createTask, type OpenTask } from "./store.ts";
import type { CopyMechanism, LayerRecord, TaskRecord } from "./task-record.ts";

/*
 * Before the zone is started, nothing else goes on: every function here is one that runs once, and costs as much as a system call or two
 * (docs/adr/0005). So what few runs need is not here, but asked for (`Uncommon`), and the common way is short.
 */

/** A directory of the host that a request wants copy-on-write. */
export interface Wanted {
  readonly source: string;
  readonly target: string;
  readonly origin: Origin;
}

/** The copy-on-write directories of a request, the workspace first. */
export function wantedLayers({ repo, view }: Pick<SandboxRequest, "repo" | "view">): Wanted[] {
  const wanted: Wanted[] = [];
  if (repo?.mode === "overlay")
    wanted.push({ source: repo.path, target: repo.target ?? repo.path, origin: repo.origin });
  for (const entry of view) if (entry.kind === "overlay-bind") wanted.push(entry);
  return wanted;
}

/** A task whose layers are ready to be worked in. */
export interface PreparedTask {
  readonly tasks: number;
  readonly task: OpenTask;
  readonly record: TaskRecord;
  readonly layers: readonly CopyOnWriteLayer[];
  readonly warnings: readonly Diagnostic[];
}

/** The layers that a task wants, and where. */
export interface PrepareInput {
  readonly wanted: readonly Wanted[];
  readonly tasksPath: string;
  readonly identity: Pick<TaskRecord, "task_id" | "command_hash" | "policy">;
  /** Set when the kernel has refused overlayfs: every layer is a copy then. */
  readonly refused?: string | undefined;
}

/** What few runs need, loaded for those (src/workspace/uncommon.ts). */
export interface Uncommon {
  /** Why the file system of the state directory can't hold layers of overlayfs; undefined when it can, which is noted on it. */
  whyNoLayers(tasks: number): string | undefined;
  /** Copies a tree into the empty directory `root`, which lies in `storage`: how, and what had to be left out, in words. */
  copyInto(
    host: number,
    root: number,
    storage: number,
    source: string,
  ): { readonly mechanism: CopyMechanism; readonly leftOut: readonly string[] };
}

/** What came of making layers. */
export type PrepareOutcome =
  | { readonly kind: "ready"; readonly prepared: PreparedTask }
  /** Nothing was made: to be called again with what few runs need. */
  | { readonly kind: "uncommon" }
  /** `tasks` is open where something half-made lies in it. */
  | { readonly kind: "failed"; readonly problems: readonly Diagnostic[]; readonly tasks?: number };

/** On a directory of tasks whose file system holds what overlayfs needs: ours, made by `Uncommon.whyNoLayers`. */
export const holdsLayers = "user.rauha.layers";

/** Their files have no content but what a read makes: overlayfs can't keep changes of them, and a copy is none. */
const kernelTrees = ["/proc", "/sys"];

/** A directory that may be shown copy-on-write, open. */
interface Place {
  readonly wanted: Wanted;
  readonly host: number;
  /** Its path without symlinks. */
  readonly source: string;
  /** Why it must be copied. */
  readonly reason: string | undefined;
}

/**
 * Makes the layers of a task on disk. overlayfs needs attributes and deletion marks of the file system the layer lies on, and sees
 * no mounts below the directory: where that fails, the layer is a copy, and says why.
 */
export function prepareTask(fs: TaskFs, input: PrepareInput, uncommon?: Uncommon): PrepareOutcome {
  const problems: Diagnostic[] = [];
  const places: Place[] = [];
  let [tasks, kept] = [-1, false];
  try {
    tasks = openMade(fs, input.tasksPath);
    const tasksPath = fs.pathOf(tasks);
    let refused = input.refused;
    if (refused === undefined && !fs.hasAttribute(tasks, holdsLayers)) {
      if (uncommon === undefined) return { kind: "uncommon" };
      refused = uncommon.whyNoLayers(tasks);
    }
    for (const wanted of input.wanted) {
      const place = placeOf(fs, wanted, tasksPath, refused);
      if ("code" in place) problems.push(place);
      else if (place.reason !== undefined && uncommon === undefined) return { kind: "uncommon" };
      else places.push(place);
    }
    if (problems.length > 0) return { kind: "failed", problems };
    kept = true;
    return { kind: "ready", prepared: makeTask(fs, { ...input, tasksPath }, tasks, places, uncommon) };
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    const step = `${error.step} ${error.path}`.trim();
    const message = `the layer for the task's changes can't be made in ${input.tasksPath}: ${step}: ${errnoWords(error.errno)}`;
    const hint = "make room there, or set XDG_STATE_HOME to another directory of yours";
    return { kind: "failed", problems: [{ code: "setup_failed", message, hint }], ...(kept ? { tasks } : {}) };
  } finally {
    for (const { host } of places) fs.close(host);
    if (!kept && tasks >= 0) fs.close(tasks);
  }
}

function placeOf(fs: TaskFs, wanted: Wanted, tasksPath: string, refused: string | undefined): Place | Diagnostic {
  const { source, origin } = wanted;
  let host: number;
  try {
    host = fs.root(source);
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    const { errno } = error;
    const code = errno === ENOENT ? "not_found" : errno === EACCES ? "permission" : "invalid_argument";
    return { code, message: `${source} can't be opened as a directory: ${errnoWords(errno)}`, origin };
  }
  const real = fs.pathOf(host);
  if (isBelow(tasksPath, real)) {
    const message = `${source} holds Rauha's own state (${tasksPath}), where its changes would be kept`;
    const hint = "set XDG_STATE_HOME to a directory outside it, or name a smaller directory";
    return { code: "invalid_argument", message, origin, hint };
  }
  for (const tree of kernelTrees) {
    if (!isBelow(real, tree)) continue;
    const message = `${source} can't be shown copy-on-write: what is in ${tree} is made up by the kernel`;
    return { code: "invalid_argument", message, origin, hint: "name a directory of files" };
  }
  const below = refused === undefined ? fs.mountBelow(real) : undefined;
  const reason = below === undefined ? refused : `something is mounted at ${below}, which overlayfs would not show`;
  return { wanted, host, source: real, reason };
}

function makeTask(
  fs: TaskFs,
  { tasksPath, identity }: PrepareInput,
  tasks: number,
  places: readonly Place[],
  uncommon: Uncommon | undefined,
): PreparedTask {
  const layers: CopyOnWriteLayer[] = [];
  const warnings: Diagnostic[] = [];
  const records: LayerRecord[] = [];
  const record: TaskRecord = {
    version: 1,
    ...identity,
    started_ns: fs.nowDigits(),
    started_at: new Date().toISOString(),
    layers: records,
  };
  const task = createTask(fs, tasks, identity.task_id, (dir) => {
    let index = 0;
    for (const { host, source, reason, wanted } of places) {
      fs.makeDirectory(dir, String(index), 0o700);
      const storage = fs.directory(dir, String(index));
      const name = reason === undefined ? "upper" : "copy";
      fs.makeDirectory(storage, name, 0o700);
      if (reason === undefined) fs.makeDirectory(storage, "work", 0o700);
      const root = fs.directory(storage, name);
      const copied = reason === undefined ? undefined : uncommon?.copyInto(host, root, storage, source);
      likeHost(fs, root, host);
      fs.close(root);
      fs.close(storage);
      const mechanism = copied?.mechanism ?? "overlayfs";
      const { target, origin } = wanted;
      layers.push({ target, storage: `${tasksPath}/${identity.task_id}/${index}`, mechanism, reason });
      records.push({ source, target, mechanism });
      if (copied !== undefined)
        for (const message of copied.leftOut) warnings.push({ code: "unenforceable", message, origin });
      index++;
    }
    return record;
  });
  return { tasks, task, record, layers, warnings };
}

/** The layer's root is what the task sees as the directory itself. */
function likeHost(fs: TaskFs, root: number, host: number): void {
  const { mode, uid, gid } = fs.ownership(host);
  // Only root can hand it to somebody else.
  if ((uid !== 0 || gid !== 0) && fs.ownership(root).uid === 0) fs.setOwner(root, uid, gid);
  fs.setMode(root, mode & 0o1777);
}

const ENOENT = 2;
const EACCES = 13;
