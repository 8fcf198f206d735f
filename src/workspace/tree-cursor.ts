import { type EntryStat, TreeError, type TreeFs } from "../run/tree-fs.ts";
import { nameOf, parentOf } from "./bytes.ts";

/** ENOENT, EACCES, ENOTDIR, ELOOP. */
const missing = new Set([2, 13, 20, 40]);

/**
 * Finds entries of one tree by their path from its root. The directory looked in last stays open, since neighbours mostly come
 * one after the other; a path is never trusted further than `TreeFs.directory` goes.
 */
export class TreeCursor {
  readonly root: number;
  private readonly fs: TreeFs;
  private path: string | undefined;
  private fd = -1;

  constructor(fs: TreeFs, root: number) {
    this.fs = fs;
    this.root = root;
  }

  /** The open directory at `path`; it belongs to the cursor. */
  directory(path: string): number {
    if (path === "") return this.root;
    if (this.path !== path) {
      const fd = this.fs.directory(this.root, path);
      this.forget();
      this.fd = fd;
      this.path = path;
    }
    return this.fd;
  }

  /** The directory that `path` is an entry of. */
  parent(path: string): number {
    return this.directory(parentOf(path));
  }

  stat(path: string): EntryStat | undefined {
    if (path === "") return this.fs.stat(this.root, "");
    try {
      return this.fs.stat(this.parent(path), nameOf(path));
    } catch (error) {
      // A parent that is missing, closed, or no directory. One that is a symlink is no parent either: what it leads to is not looked at.
      if (error instanceof TreeError && missing.has(error.errno)) return undefined;
      throw error;
    }
  }

  /** Names in the directory at `path`. */
  list(path: string): string[] {
    return this.fs.list(this.directory(path));
  }

  openFile(path: string): number {
    return this.fs.openFile(this.parent(path), nameOf(path));
  }

  readLink(path: string): string {
    return this.fs.readLink(this.parent(path), nameOf(path));
  }

  attributes(path: string, wanted: (key: string) => boolean): Map<string, Uint8Array> {
    if (path === "") return this.fs.attributes(this.root, "", wanted);
    return this.fs.attributes(this.parent(path), nameOf(path), wanted);
  }

  /** Closes the directory looked in last; call it when directories have been replaced. */
  forget(): void {
    if (this.fd >= 0) this.fs.close(this.fd);
    this.fd = -1;
    this.path = undefined;
  }

  /** Closes the root too. */
  close(): void {
    this.forget();
    this.fs.close(this.root);
  }
}
