import { removeTree } from "../../run/remove-tree.ts";
import { type EntryStat, TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { nameOf, parentOf } from "../bytes.ts";
import type { Change } from "../change.ts";
import type { Layer } from "../layer.ts";
import { travels } from "../same.ts";
import type { TreeCursor } from "../tree-cursor.ts";
import { LinkWriter } from "./link.ts";

const ownerAll = 0o700;
/** Set-id bits are never handed over; the sticky bit of a directory is. */
const carried = 0o1777;

/**
 * Writes changes of one layer to the host. Every parent is opened from the repository's root, through no symlink, each time; files
 * are made under a temporary name and renamed, so that whoever looks sees the old one or the new one. An entry that is no longer
 * what was checked is left alone.
 */
export class LayerWriter {
  readonly #fs: TreeFs;
  readonly #layer: Layer;
  readonly #host: TreeCursor;
  /** Directories whose mode is set when everything in them is done. */
  readonly #directories: { readonly path: string; readonly mode: number }[] = [];

  readonly #links: LinkWriter;

  /** `changes` are all that will be written. */
  constructor(fs: TreeFs, layer: Layer, host: TreeCursor, changes: readonly Change[]) {
    this.#fs = fs;
    this.#layer = layer;
    this.#host = host;
    this.#links = new LinkWriter(fs, host.root, changes);
  }

  /** Writes one change; parents come before children. */
  write(change: Change): void {
    const { path, after } = change;
    this.#host.forget();
    if (change.refusal !== undefined) throw new TreeError("refused", path, EPERM);
    this.#makeParents(parentOf(path));
    const dir = this.#host.parent(path);
    const name = nameOf(path);
    this.#expect(dir, name, change);
    if (after === undefined) removeTree(this.#fs, dir, name);
    else if (after.type === "directory") this.#writeDirectory(dir, change, after);
    else if (after.type === "symlink") this.#writeSymlink(dir, name, change);
    else if (change.kind === "mode_changed") this.#fs.setEntryMode(dir, name, after.mode & carried);
    else this.#writeFile(dir, name, change, after);
    this.#links.wrote(change, this.#fs.stat(dir, name));
  }

  /** Sets the modes of directories, children first. */
  finish(): void {
    this.#host.forget();
    for (const { path, mode } of this.#directories.reverse()) {
      this.#fs.setEntryMode(this.#host.parent(path), nameOf(path), mode);
      this.#host.forget();
    }
  }

  /** Directories of the layer that a chosen path needs and the host has not. */
  #makeParents(path: string): void {
    if (path === "" || this.#host.stat(path)?.type === "directory") return;
    this.#makeParents(parentOf(path));
    const after = this.#layer.tree.stat(path);
    if (after?.type !== "directory" || this.#host.stat(path) !== undefined) return;
    this.#fs.makeDirectory(this.#host.parent(path), nameOf(path), ownerAll);
    this.#directories.push({ path, mode: after.mode & carried });
    this.#host.forget();
  }

  /** The host's entry must still be the one that was checked. */
  #expect(dir: number, name: string, { path, before }: Change): void {
    const now = this.#fs.stat(dir, name);
    const unchanged =
      now !== undefined && before !== undefined && now.inode === before.inode && now.ctimeNs === before.ctimeNs;
    const same =
      unchanged ||
      (before === undefined ? now === undefined : now !== undefined && this.#links.isOnlyLinked(now, before));
    // A directory's ctime moves with what we ourselves write into it.
    const sameDirectory = before?.type === "directory" && now?.type === "directory" && now.inode === before.inode;
    const alreadyMade =
      before === undefined && now?.type === "directory" && this.#directories.some((made) => made.path === path);
    if (!same && !sameDirectory && !alreadyMade) throw new TreeError("changed while applying", path, EBUSY);
  }

  #writeDirectory(dir: number, { path, before }: Change, after: EntryStat): void {
    const name = nameOf(path);
    if (before !== undefined && before.type !== "directory") this.#fs.unlink(dir, name);
    if (this.#fs.stat(dir, name) === undefined) this.#fs.makeDirectory(dir, name, ownerAll);
    const fd = this.#fs.directory(dir, name);
    try {
      this.#carryAttributes(fd, path, before);
      this.#own(fd, after);
    } finally {
      this.#fs.close(fd);
    }
    const kept = before?.type === "directory" ? before.mode & ~carried : 0;
    this.#directories.push({ path, mode: (after.mode & carried) | kept });
  }

  #writeSymlink(dir: number, name: string, { path, before }: Change): void {
    const value = this.#layer.tree.readLink(path);
    this.#replace(dir, name, before, (temporary) => this.#fs.makeSymlink(dir, temporary, value));
  }

  #writeFile(dir: number, name: string, change: Change, after: EntryStat): void {
    const { path, before } = change;
    const from = this.#layer.tree.openFile(path);
    try {
      // Opened, it must be what was listed: a regular file.
      if (this.#fs.stat(from, "")?.type !== "file") throw new TreeError("changed while applying", path, EBUSY);
      this.#replace(dir, name, before, (temporary) => {
        if (!this.#links.link(change, dir, temporary)) this.#copyFile(from, dir, temporary, path, after);
      });
    } finally {
      this.#fs.close(from);
    }
  }

  #copyFile(from: number, dir: number, temporary: string, path: string, after: EntryStat): void {
    const to = this.#fs.createFile(dir, temporary);
    try {
      this.#fs.copyContent(from, to);
      this.#own(to, after);
      this.#carryAttributes(to, path, undefined);
      this.#fs.setMode(to, after.mode & carried);
      this.#fs.setModifiedTime(to, after.mtimeNs);
    } finally {
      this.#fs.close(to);
    }
  }

  /** Makes the new entry beside the old one, then puts it in its place. */
  #replace(dir: number, name: string, before: EntryStat | undefined, make: (temporary: string) => void): void {
    const temporary = `.rauha-${crypto.randomUUID()}`;
    try {
      make(temporary);
      if (before?.type === "directory") removeTree(this.#fs, dir, name);
      this.#fs.rename(dir, temporary, dir, name);
      // Where both were names of one file already, rename(2) does nothing.
      if (this.#fs.stat(dir, temporary) !== undefined) this.#fs.unlink(dir, temporary);
    } catch (error) {
      if (this.#fs.stat(dir, temporary) !== undefined) this.#fs.unlink(dir, temporary);
      throw error;
    }
  }

  #carryAttributes(fd: number, path: string, before: EntryStat | undefined): void {
    const wanted = this.#layer.tree.attributes(path, travels);
    for (const [key, value] of wanted) this.#fs.setAttribute(fd, key, value);
    if (before?.type !== "directory") return;
    for (const key of this.#host.attributes(path, travels).keys()) {
      if (!wanted.has(key)) this.#fs.removeAttribute(fd, key);
    }
  }

  /** Root's zones can hand files to other ids; an ordinary user's all belong to him. */
  #own(fd: number, after: EntryStat): void {
    const own = this.#fs.stat(fd, "");
    if (own?.uid === 0 && (after.uid !== own.uid || after.gid !== own.gid)) this.#fs.setOwner(fd, after.uid, after.gid);
  }
}

const EPERM = 1;
const EBUSY = 16;
