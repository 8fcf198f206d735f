import type { EntryStat } from "../run/tree-fs.ts";
import { compareBytes } from "./bytes.ts";
import type { Change } from "./change.ts";
import type { TreeCursor } from "./tree-cursor.ts";

/** A regular file of a layer that has other names besides, in the layer or not. */
export interface LinkedFile {
  readonly path: string;
  readonly stat: EntryStat;
}

/**
 * Says of each change whose file has other names in the layer that they are one, so that they can be one on the host; and adds the names
 * that a task made one of two files which are equal anyway. `linked` are all files of the layer with more than one name.
 *
 * Only what the task linked can be told: overlayfs gives each name of a file of the host that is copied up a file of its own, for the
 * task as well.
 */
export function joinLinks(changes: readonly Change[], linked: readonly LinkedFile[], host: TreeCursor): Change[] {
  const groups = new Map<string, LinkedFile[]>();
  for (const file of linked) {
    const group = groups.get(file.stat.inode);
    if (group === undefined) groups.set(file.stat.inode, [file]);
    else group.push(file);
  }
  const byPath = new Map(changes.map((change) => [change.path, change]));
  for (const [inode, files] of groups) if (files.length > 1) joinGroup(byPath, inode, files, host);
  return [...byPath.values()];
}

function joinGroup(byPath: Map<string, Change>, inode: string, files: readonly LinkedFile[], host: TreeCursor): void {
  // On the host, the file that all the names become one with: one that has the content already.
  let keeper: Change["link"];
  for (const { path, stat: after } of [...files].sort((a, b) => compareBytes(a.path, b.path))) {
    const change = byPath.get(path);
    if (change !== undefined && change.kind !== "mode_changed") continue;
    const before = change?.before ?? host.stat(path);
    if (before === undefined) continue;
    if (keeper === undefined) keeper = { inode, keeper: { path, stat: before, kept: change === undefined } };
    else if (change === undefined && before.inode !== keeper.keeper?.stat.inode)
      byPath.set(path, { path, kind: "modified", before, after, refusal: undefined });
  }
  for (const { path } of files) {
    const change = byPath.get(path);
    if (change !== undefined) byPath.set(path, { ...change, link: keeper ?? { inode, keeper: undefined } });
  }
}
