import { gitPointer, laterRunFiles, pinnedDirectories } from "../run/later-run-files.ts";
import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import { nameOf, parentOf } from "./bytes.ts";
import { TreeCursor } from "./tree-cursor.ts";

/**
 * In `rw` mode files that run later are read-only where they are; one that is not there can be made, since no mechanism of the
 * kernel's forbids a single new name. So what was missing is noted before the run, and what is new after it is renamed to a name
 * that nothing runs (docs/adr/0032).
 */
export function missingLaterRunFiles(fs: TreeFs, root: string): string[] {
  return inTree(fs, root, (cursor) => [...candidates].filter((file) => cursor.stat(file) === undefined)) ?? [];
}

/** A link in the place of `.claude` would bring `.claude/commands` with it. */
const candidates = new Set([gitPointer, ...pinnedDirectories, ...laterRunFiles]);

/** What became of a file that runs later and that the task made. */
export interface NewLaterRunFile {
  readonly path: string;
  /** Its name now, of the same directory; undefined when it could not be renamed, or the policy lists it. */
  readonly heldAs: string | undefined;
  readonly errno?: number | undefined;
}

/** Renames those of `missing` that are there now, unless `listed` says that the policy wants them. */
export function holdNewLaterRunFiles(
  fs: TreeFs,
  root: string,
  missing: readonly string[],
  options: { readonly taskId: string; readonly listed: (path: string) => boolean },
): NewLaterRunFile[] {
  const hold = (cursor: TreeCursor) =>
    missing
      .filter((path) => isNew(cursor, path))
      .map((path): NewLaterRunFile => {
        if (options.listed(path)) return { path, heldAs: undefined };
        const heldAs = `${nameOf(path)}.held-${options.taskId}`;
        const errno = renameWithin(fs, cursor, path, heldAs);
        return errno === 0 ? { path, heldAs } : { path, heldAs: undefined, errno };
      });
  return inTree(fs, root, hold) ?? [];
}

/** `.git` and `.claude` themselves, as directories, run nothing. */
function isNew(cursor: TreeCursor, path: string): boolean {
  cursor.forget();
  const stat = cursor.stat(path);
  return stat !== undefined && !(stat.type === "directory" && pinnedDirectories.includes(path));
}

/** 0, or the errno. A directory that the task closed for its owner is opened again. */
function renameWithin(fs: TreeFs, cursor: TreeCursor, path: string, name: string): number {
  try {
    const parent = cursor.parent(path);
    const stat = fs.stat(parent, "");
    if (stat !== undefined && (stat.mode & 0o300) !== 0o300) fs.setMode(parent, stat.mode | 0o300);
    fs.rename(parent, nameOf(path), parent, name);
    return 0;
  } catch (error) {
    if (error instanceof TreeError) return error.errno;
    throw error;
  }
}

function inTree<T>(fs: TreeFs, root: string, look: (cursor: TreeCursor) => T): T | undefined {
  let cursor: TreeCursor;
  try {
    cursor = new TreeCursor(fs, fs.root(root));
  } catch (error) {
    if (error instanceof TreeError) return undefined;
    throw error;
  }
  try {
    return look(cursor);
  } finally {
    cursor.close();
  }
}

/** Where a held file is now, from the workspace's root. */
export function heldPath({ path, heldAs }: NewLaterRunFile): string {
  const parent = parentOf(path);
  return parent === "" ? `${heldAs}` : `${parent}/${heldAs}`;
}
