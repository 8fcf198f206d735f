import type { TreeFs } from "../run/tree-fs.ts";
import type { Change } from "./change.ts";
import { collectChanges } from "./changes.ts";
import { copyLayer } from "./copy.ts";
import { type Layer, overlayLayer } from "./layer.ts";
import type { LayerRecord, TaskRecord } from "./task-record.ts";
import { TreeCursor } from "./tree-cursor.ts";

/** One layer of a task with the directory of the host that it lies on, both open. */
export interface OpenLayer {
  readonly record: LayerRecord;
  readonly layer: Layer;
  readonly host: TreeCursor;
  readonly storage: number;
}

/** Opens layer `index` of a task; its changes are against the host as it is now. */
export function openLayer(fs: TreeFs, task: number, record: TaskRecord, index: number): OpenLayer {
  const layerRecord = record.layers[index];
  if (layerRecord === undefined) throw new RangeError(`the task has no layer ${index}`);
  const host = new TreeCursor(fs, fs.root(layerRecord.source));
  let storage = -1;
  try {
    storage = fs.directory(task, String(index));
    const content = layerRecord.mechanism === "overlayfs" ? "upper" : "copy";
    const tree = new TreeCursor(fs, fs.directory(storage, content));
    const layer = content === "upper" ? overlayLayer(fs, tree) : copyLayer(fs, tree, storage);
    return { record: layerRecord, layer, host, storage };
  } catch (error) {
    host.close();
    if (storage >= 0) fs.close(storage);
    throw error;
  }
}

/** Closes both trees of a layer. */
export function closeLayer(fs: TreeFs, open: OpenLayer): void {
  open.layer.tree.close();
  open.host.close();
  fs.close(open.storage);
}

export interface LayerChanges {
  readonly record: LayerRecord;
  readonly changes: readonly Change[];
}

/** Opens each layer in turn for a piece of work. */
export function eachLayer<T>(fs: TreeFs, task: number, record: TaskRecord, work: (open: OpenLayer) => T): T[] {
  return record.layers.map((_, index) => {
    const open = openLayer(fs, task, record, index);
    try {
      return work(open);
    } finally {
      closeLayer(fs, open);
    }
  });
}

/** What a task changed, layer by layer. */
export function taskChanges(fs: TreeFs, task: number, record: TaskRecord): LayerChanges[] {
  return eachLayer(fs, task, record, (open) => ({
    record: open.record,
    changes: collectChanges(fs, open.layer, open.host),
  }));
}
