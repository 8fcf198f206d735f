import { type EntryStat, TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { nameOf, parentOf } from "../bytes.ts";
import type { Change } from "../change.ts";

interface Target {
  readonly path: string;
  readonly stat: EntryStat;
}

/**
 * Makes names of one file of a layer names of one file on the host: one that has the content already, else the first that is written.
 * Nothing is linked but a file in the repository, reached through no symlink, which is still the one that was compared; where that can't
 * be, or the kernel refuses it (fs.protected_hardlinks, another file system), each name becomes a file of its own.
 */
export class LinkWriter {
  readonly #fs: TreeFs;
  readonly #root: number;
  readonly #chosen: ReadonlySet<string>;
  /** By the layer's inode. */
  readonly #written = new Map<string, Target>();
  /** Inodes of the host whose ctime is not what it was, because of what was written. */
  readonly #touched = new Set<string>();

  constructor(fs: TreeFs, root: number, changes: readonly Change[]) {
    this.#fs = fs;
    this.#root = root;
    this.#chosen = new Set(changes.map(({ path }) => path));
  }

  /** Gives the file that a change is a name of a temporary name in `dir`; false where it has to be written. */
  link({ link }: Change, dir: number, temporary: string): boolean {
    if (link === undefined) return false;
    const { inode, keeper } = link;
    // A file whose mode is still to change stays as it is when that was not asked for.
    const usable = keeper !== undefined && (keeper.kept || this.#chosen.has(keeper.path));
    if (usable && this.#linkTo(keeper, dir, temporary)) return true;
    const written = this.#written.get(inode);
    return written !== undefined && this.#linkTo(written, dir, temporary);
  }

  #linkTo({ path, stat }: Target, dir: number, temporary: string): boolean {
    let parent = -1;
    try {
      parent = this.#fs.directory(this.#root, parentOf(path));
      const now = this.#fs.stat(parent, nameOf(path));
      if (now?.type !== "file" || now.inode !== stat.inode || !isUnwritten(now, stat)) return false;
      this.#fs.link(parent, nameOf(path), dir, temporary);
      // Between the look and the link it may have become another.
      if (this.#fs.stat(dir, temporary)?.inode !== stat.inode) {
        this.#fs.unlink(dir, temporary);
        return false;
      }
      this.#touched.add(stat.inode);
      return true;
    } catch (error) {
      if (error instanceof TreeError) return false;
      throw error;
    } finally {
      if (parent >= 0) this.#fs.close(parent);
    }
  }

  /** A change was written: `stat` is what is there now. */
  wrote({ path, before, link }: Change, stat: EntryStat | undefined): void {
    if (before !== undefined) this.#touched.add(before.inode);
    if (link !== undefined && stat?.type === "file" && !this.#written.has(link.inode))
      this.#written.set(link.inode, { path, stat });
  }

  /** Whether an entry is what it was but for names that its file lost or got, and the mode it got with another of its names. */
  isOnlyLinked(now: EntryStat, before: EntryStat): boolean {
    if (now.inode !== before.inode || !isUnwritten(now, before)) return false;
    return this.#touched.has(now.inode) || (before.links > 1 && now.mode === before.mode);
  }
}

function isUnwritten(now: EntryStat, before: EntryStat): boolean {
  return now.size === before.size && now.mtimeNs === before.mtimeNs;
}
