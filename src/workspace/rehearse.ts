import { type EntryStat, TreeError, type TreeFs } from "../run/tree-fs.ts";
import { collectChanges } from "./changes.ts";
import { laterRunChanges } from "./finish.ts";
import { overlayLayer } from "./layer.ts";
import type { PreparedTask } from "./prepare.ts";
import { recordName } from "./store.ts";
import { type LayerChanges, taskChanges } from "./task-layers.ts";
import { encodeFinish } from "./task-record.ts";
import { TreeCursor } from "./tree-cursor.ts";

/** The second call still costs a third of the first, and the third a tenth. */
const rounds = 1;

/**
 * Goes the way of the changes once while the zone is being built, with the task's record in the place of a changed file: what a function
 * costs is its first call (docs/adr/0005), and this process has nothing to do meanwhile. Nothing is written; of the layers, in which the
 * task may be at work already, only the roots are looked at. What it gives back is a change that never was, for the words that follow.
 */
export function rehearse(fs: TreeFs, { tasks, task, record }: PreparedTask): readonly LayerChanges[] {
  try {
    for (let round = 0; round < rounds; round++) {
      taskChanges(withNames(fs, []), task.fd, record);
      // The task's directory and its record in it, each compared with itself.
      const few = withNames(fs, [[task.id], [recordName]]);
      const [tree, host] = [new TreeCursor(few, tasks), new TreeCursor(fs, tasks)];
      collectChanges(few, overlayLayer(few, tree), host);
      tree.forget();
      host.forget();
    }
    const after = fs.stat(task.fd, recordName);
    const [layer] = record.layers;
    if (after === undefined || layer === undefined) return [];
    const changes = [addition(recordName, after), addition(".git", after)];
    encodeFinish({ at: "", status: "", exit_code: 0, changes: laterRunChanges({ record: layer, changes }).length });
    return [{ record: layer, changes }];
  } catch (error) {
    // What is wrong shows after the zone's end, when it matters.
    if (!(error instanceof TreeError)) throw error;
    return [];
  }
}

/** A tree of which only these names are seen in the directories that are looked into one after the other, and none in others. */
function withNames(fs: TreeFs, names: readonly (readonly string[])[]): TreeFs {
  let level = 0;
  return {
    ...fs,
    list: (dir) => {
      const found = names[level++];
      return found === undefined ? fs.list(dir).slice(0, 0) : [...found];
    },
  };
}

function addition(path: string, after: EntryStat) {
  return { path, kind: "added", before: undefined, after, refusal: undefined } as const;
}
