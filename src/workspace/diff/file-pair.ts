import { TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { bytesOf, joinPath } from "../bytes.ts";
import type { Change } from "../change.ts";
import { readWhole } from "../files.ts";
import type { Layer } from "../layer.ts";
import { TreeCursor } from "../tree-cursor.ts";

/** One side of a file's difference, as git sees it: a symlink's content is where it points. */
export interface FileSide {
  readonly type: "file" | "symlink";
  readonly mode: number;
  readonly content: Uint8Array;
}

/** A file that differs; a side that is undefined is not there. */
export interface FilePair {
  readonly path: string;
  readonly before: FileSide | undefined;
  readonly after: FileSide | undefined;
}

/** Read whole: a diff needs it all. */
const mostBytes = 1 << 30;
const EFBIG = 27;

/**
 * The changes as pairs of files. git has no directories: an added one is its files (which are changes of their own), a deleted one
 * all the files that were in it. What is no file and no symlink has no pair.
 */
export function* filePairs(
  fs: TreeFs,
  layer: Layer,
  host: TreeCursor,
  changes: readonly Change[],
): Generator<FilePair> {
  for (const { path, before, after } of changes) {
    if (before?.type === "directory") {
      if (after?.type !== "directory") yield* deletedBelow(fs, host, path);
      if (after === undefined || after.type === "directory") continue;
    }
    const old = before === undefined || before.type === "directory" ? undefined : readSide(fs, host, path);
    const made = after === undefined || after.type === "directory" ? undefined : readSide(fs, layer.tree, path);
    if (old !== undefined || made !== undefined) yield { path, before: old, after: made };
  }
}

function* deletedBelow(fs: TreeFs, host: TreeCursor, top: string): Generator<FilePair> {
  const cursor = new TreeCursor(fs, host.root);
  const pending = [top];
  try {
    for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
      const directories: string[] = [];
      for (const name of cursor.list(path)) {
        const child = joinPath(path, name);
        if (cursor.stat(child)?.type === "directory") directories.push(child);
        else {
          const before = readSide(fs, cursor, child);
          if (before !== undefined) yield { path: child, before, after: undefined };
        }
      }
      pending.unshift(...directories);
    }
  } finally {
    cursor.forget();
  }
}

function readSide(fs: TreeFs, tree: TreeCursor, path: string): FileSide | undefined {
  const stat = tree.stat(path);
  if (stat?.type === "symlink") return { type: "symlink", mode: 0o777, content: bytesOf(tree.readLink(path)) };
  if (stat?.type !== "file") return undefined;
  if (stat.size > mostBytes) throw new TreeError("read", path, EFBIG);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const content = readWhole(fs, tree.parent(path), name, mostBytes);
  return content === undefined ? undefined : { type: "file", mode: stat.mode, content };
}
