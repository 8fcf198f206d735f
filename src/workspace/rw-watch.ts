import { gitPointer, laterRunFiles } from "../run/later-run-files.ts";
import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import { TreeCursor } from "./tree-cursor.ts";

/**
 * In `rw` mode files that run later are read-only where they are; one that is not there can be made, since no mechanism of the
 * kernel's forbids a single new name. So what was there is noted before the run, and what is new is reported after it.
 */
export function missingLaterRunFiles(fs: TreeFs, root: string): string[] {
  return presentLaterRunFiles(fs, root, false);
}

/** Of those that were missing, the ones that are there now. */
export function newLaterRunFiles(fs: TreeFs, root: string, missing: readonly string[]): string[] {
  const present = new Set(presentLaterRunFiles(fs, root, true));
  return missing.filter((file) => present.has(file));
}

function presentLaterRunFiles(fs: TreeFs, root: string, present: boolean): string[] {
  let cursor: TreeCursor;
  try {
    cursor = new TreeCursor(fs, fs.root(root));
  } catch (error) {
    if (error instanceof TreeError) return [];
    throw error;
  }
  try {
    return [gitPointer, ...laterRunFiles].filter((file) => (cursor.stat(file) !== undefined) === present);
  } finally {
    cursor.close();
  }
}
