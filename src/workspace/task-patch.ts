import type { TreeFs } from "../run/tree-fs.ts";
import { isWithin } from "./bytes.ts";
import { collectChanges } from "./changes.ts";
import { filePairs } from "./diff/file-pair.ts";
import { isGitInternal, isGitLayer } from "./diff/git-directory.ts";
import { type FilePatch, type PatchStyle, patchPair } from "./diff/patch.ts";
import { eachLayer } from "./task-layers.ts";
import type { TaskRecord } from "./task-record.ts";

/** One layer's changes as patches. */
export interface TaskPatch {
  readonly files: readonly FilePatch[];
  /** Changes in `.git` that were left out, since no patch may touch it. */
  readonly inGit: number;
}

/**
 * A task's changes as patches, layer by layer. `chosen` narrows each layer to some paths; what it names in `.git` is shown.
 */
export function patchTask(
  fs: TreeFs,
  task: number,
  record: TaskRecord,
  style: PatchStyle,
  chosen?: ReadonlyMap<number, readonly string[]>,
): TaskPatch[] {
  return eachLayer(fs, task, record, (open): TaskPatch => {
    const paths = chosen === undefined ? undefined : (chosen.get(record.layers.indexOf(open.record)) ?? []);
    const changes = collectChanges(fs, open.layer, open.host).filter(
      ({ path }) => paths === undefined || paths.some((path_) => isWithin(path, path_)),
    );
    const asked = (path: string) =>
      paths?.some((named) => named !== "" && isGitInternal(named) && isWithin(path, named));
    const hidden = isGitLayer(open.record.source) ? () => paths === undefined : isGitInternal;
    const shown = changes.filter(({ path }) => !hidden(path) || asked(path) === true);
    const pairs = [...filePairs(fs, open.layer, open.host, shown)];
    const files = pairs.flatMap((pair) => patchPair(pair, style)).filter(({ text }) => text !== "");
    return { files, inGit: changes.length - shown.length };
  });
}
