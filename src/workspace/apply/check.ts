import { type EntryStat, TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { isWithin, joinPath, parentOf } from "../bytes.ts";
import type { Change } from "../change.ts";
import type { Layer } from "../layer.ts";
import { TreeCursor } from "../tree-cursor.ts";

/** Why a change can't be written to the host. A conflict gives way to --force; what is refused, or not there, stands whatever the user says. */
export interface Obstacle {
  readonly path: string;
  readonly kind: "refused" | "conflict" | "missing";
  readonly why: string;
}

const changedMeanwhile = "changed on the host since the task started";

/**
 * Looks for everything that stands in the way, before anything is written. What the host had when the task started is not stored
 * anywhere (that would mean walking the repository); it is known by its ctime, which nobody can set back.
 */
export function checkChanges(
  fs: TreeFs,
  layer: Layer,
  host: TreeCursor,
  changes: readonly Change[],
  startedNs: bigint,
): Obstacle[] {
  const found: Obstacle[] = [];
  for (const change of changes) {
    const { path, refusal } = change;
    if (refusal !== undefined) found.push({ path, kind: "refused", why: refusal });
    const newer = conflictOf(fs, layer, host, change, startedNs);
    if (newer !== undefined) found.push({ path: newer.path, kind: "conflict", why: newer.why });
  }
  return found;
}

/** Paths that were chosen and where there is nothing to write: a word with a typing error must not look as if it had been done. */
export function missingPaths(changes: readonly Change[], chosen: readonly string[]): Obstacle[] {
  return chosen
    .filter((named) => named !== "" && !changes.some(({ path }) => isWithin(path, named)))
    .map((path) => {
      const whole = changes.find((change) => change.before?.type === "directory" && isWithin(path, change.path));
      const deleted = whole !== undefined && whole.after?.type !== "directory";
      const why = deleted ? "it goes with its directory: name that" : "the task changed nothing there";
      return { path, kind: "missing", why };
    });
}

function conflictOf(fs: TreeFs, layer: Layer, host: TreeCursor, change: Change, startedNs: bigint) {
  const { path, before, kind } = change;
  if (before === undefined) return vanished(layer, host, change, startedNs);
  // A directory's own ctime moves with every entry in it; what matters is what would be lost, looked at below.
  if (before.type !== "directory") return before.ctimeNs > startedNs ? { path, why: changedMeanwhile } : undefined;
  if (kind !== "deleted" && kind !== "type_changed") return undefined;
  const newer = newestBelow(fs, host, path, before, startedNs);
  return newer === undefined ? undefined : { path: newer, why: changedMeanwhile };
}

/**
 * An entry that overlayfs copied up was in the repository, perhaps under another name. If it is not there now, and its directory has
 * changed since, somebody may have removed it.
 */
function vanished(layer: Layer, host: TreeCursor, { path, after }: Change, startedNs: bigint) {
  if (after?.type !== "file") return undefined;
  const parent = host.stat(parentOf(path));
  if (parent === undefined || parent.ctimeNs <= startedNs) return undefined;
  if (layer.tree.attributes(path, (key) => key === "user.overlay.origin").size === 0) return undefined;
  return { path, why: "perhaps removed on the host since the task started" };
}

/** The first entry of a tree on the host that is newer than the task; a deletion would lose it. */
function newestBelow(
  fs: TreeFs,
  host: TreeCursor,
  top: string,
  stat: EntryStat,
  startedNs: bigint,
): string | undefined {
  if (stat.ctimeNs > startedNs) return top;
  // A cursor of its own: the caller's goes on where it was.
  const cursor = new TreeCursor(fs, host.root);
  const pending = [top];
  try {
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      for (const name of cursor.list(path)) {
        const child = joinPath(path, name);
        const found = cursor.stat(child);
        if (found === undefined) continue;
        if (found.ctimeNs > startedNs) return child;
        if (found.type === "directory") pending.push(child);
      }
    }
    return undefined;
  } catch (error) {
    // What can't be looked into can't be removed either: writing says so.
    if (error instanceof TreeError) return undefined;
    throw error;
  } finally {
    cursor.forget();
  }
}
