import { TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { isWithin } from "../bytes.ts";
import type { Change } from "../change.ts";
import { collectChanges } from "../changes.ts";
import { closeLayer, type OpenLayer, openLayer } from "../task-layers.ts";
import type { TaskRecord } from "../task-record.ts";
import { checkChanges, missingPaths, type Obstacle } from "./check.ts";
import { LayerWriter } from "./write.ts";

/** What of a task is applied, and how. */
export interface ApplyWish {
  /** Paths in a layer, by layer index; absent: everything. */
  readonly chosen?: ReadonlyMap<number, readonly string[]> | undefined;
  /** Conflicts give way. Refusals never do. */
  readonly force: boolean;
  /** Told once nothing stands in the way, before the first change is written. */
  readonly before?: ((layer: number, changes: readonly Change[]) => void) | undefined;
}

/** What stands in the way, and in which layer. */
export type LayerObstacle = Obstacle & { readonly layer: number };

/** What became of it. */
export type ApplyOutcome =
  | { readonly done: true; readonly written: number; readonly left: number }
  /** Nothing was written. */
  | { readonly done: false; readonly obstacles: readonly LayerObstacle[] }
  /** Something failed on the way: what was written stays, and the task's layer has the rest. */
  | { readonly done: false; readonly failed: TreeError; readonly written: number };

/** Writes a task's changes to the host: all checks of all layers first, then the changes one after the other. */
export function applyTask(fs: TreeFs, task: number, record: TaskRecord, wish: ApplyWish): ApplyOutcome {
  const open: OpenLayer[] = [];
  let written = 0;
  try {
    for (const index of record.layers.keys()) open.push(openLayer(fs, task, record, index));
    const work = open.map((each, layer) => {
      const all = collectChanges(fs, each.layer, each.host);
      const paths = wish.chosen === undefined ? undefined : (wish.chosen.get(layer) ?? []);
      const changes =
        paths === undefined ? all : all.filter(({ path }) => paths.some((chosen) => isWithin(path, chosen)));
      const obstacles = [
        ...missingPaths(all, paths ?? []),
        ...checkChanges(fs, each.layer, each.host, changes, BigInt(record.started_ns)),
      ];
      return { each, layer, changes, left: all.length - changes.length, obstacles };
    });
    const obstacles = work.flatMap(({ layer, obstacles }) => obstacles.map((obstacle) => ({ ...obstacle, layer })));
    const standing = obstacles.filter(({ kind }) => kind !== "conflict" || !wish.force);
    if (standing.length > 0) return { done: false, obstacles: standing };
    for (const { layer, changes } of work) wish.before?.(layer, changes);
    for (const { each, changes } of work) {
      const writer = new LayerWriter(fs, each.layer, each.host, changes);
      try {
        for (const change of changes) {
          writer.write(change);
          written++;
        }
      } finally {
        writer.finish();
      }
    }
    return { done: true, written, left: work.reduce((sum, { left }) => sum + left, 0) };
  } catch (error) {
    if (error instanceof TreeError) return { done: false, failed: error, written };
    throw error;
  } finally {
    for (const each of open) closeLayer(fs, each);
  }
}
