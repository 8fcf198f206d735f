import { TreeError } from "../../run/tree-fs.ts";
import { opaqueAttribute } from "./attributes.ts";
import type { LayerFs } from "./layer-fs.ts";
import { LayerRefusal } from "./refusal.ts";

/** What an archive says of a directory. */
export interface Described {
  readonly mode: number;
  readonly mtimeNs: bigint;
}

/** The directories of a layer in the making. Paths are byte strings below the layer's root; "" is the root. */
export class LayerDirectories {
  readonly #fs: LayerFs;
  readonly #root: number;
  /** Modes and times, set at the end: until then all must be writable, and every new entry changes the time. */
  readonly #described = new Map<string, Described>();
  readonly #implied = new Set<string>();
  #entered: { readonly path: string; readonly fd: number } | undefined;

  constructor(fs: LayerFs, root: number) {
    this.#fs = fs;
    this.#root = root;
  }

  /** The descriptor of an entry's directory, open until another one is entered; missing ones are made. */
  enter(path: string, entry: string): number {
    if (this.#entered?.path === path) return this.#entered.fd;
    this.#leave();
    let fd: number;
    try {
      fd = this.#fs.directory(this.#root, path);
    } catch (error) {
      if (!(error instanceof TreeError) || error.errno !== ENOENT) throw refusalOf(error, path, entry, "its directory");
      this.#imply(path, entry);
      fd = this.open(path, entry, "its directory");
    }
    this.#entered = { path, fd };
    return fd;
  }

  /** A directory that has to be there; the descriptor is the caller's. */
  open(path: string, entry: string, what: string): number {
    try {
      return this.#fs.directory(this.#root, path);
    } catch (error) {
      throw refusalOf(error, path, entry, what);
    }
  }

  describe(path: string, described: Described): void {
    this.#implied.delete(path);
    this.#described.set(path, described);
  }

  implied(): string[] {
    return [...this.#implied].sort();
  }

  /** Sets modes and times. The deepest first: a directory that may not be searched any more needs no more visitors. */
  finish(): void {
    this.#leave();
    const paths = [...this.#described].sort(([a], [b]) => depth(b) - depth(a));
    for (const [path, { mode, mtimeNs }] of paths) {
      const fd = this.#fs.directory(this.#root, path);
      this.#fs.setModifiedTime(fd, mtimeNs);
      this.#fs.setMode(fd, mode);
      this.#fs.close(fd);
    }
  }

  /** Makes the directories of a path that the archive has not mentioned (yet). */
  #imply(path: string, entry: string): void {
    let above = "";
    for (const name of path.split("/")) {
      const dir = this.open(above, entry, "its directory");
      const before = this.#fs.stat(dir, name)?.type;
      above = above === "" ? name : `${above}/${name}`;
      if (before === "whiteout") this.#fs.unlink(dir, name);
      if (before === undefined || before === "whiteout") {
        this.#fs.makeDirectory(dir, name, 0o755);
        this.#implied.add(above);
        if (before === "whiteout") markOpaque(this.#fs, dir, name);
      }
      this.#fs.close(dir);
    }
  }

  #leave(): void {
    if (this.#entered !== undefined) this.#fs.close(this.#entered.fd);
    this.#entered = undefined;
  }
}

const opaqueYes = new Uint8Array([0x79]);

/** Hides what lower layers have in this directory. */
export function setOpaque(fs: LayerFs, fd: number): void {
  fs.setAttribute(fd, opaqueAttribute, opaqueYes);
}

/** Marks a directory as one that hides what lies below it in other layers. */
export function markOpaque(fs: LayerFs, dir: number, name: string): void {
  const fd = fs.directory(dir, name);
  setOpaque(fs, fd);
  fs.close(fd);
}

const [ENOENT, ENOTDIR, ELOOP] = [2, 20, 40];

function refusalOf(error: unknown, path: string, entry: string, what: string): unknown {
  if (!(error instanceof TreeError)) return error;
  if (error.errno === ENOENT) return new LayerRefusal(`${what} ${shown(path)} is not in the layer`, entry);
  if (error.errno !== ELOOP && error.errno !== ENOTDIR) return error;
  return new LayerRefusal(`${what} ${shown(path)} leads through a symlink or a file`, entry);
}

function depth(path: string): number {
  return path === "" ? 0 : path.split("/").length;
}

/** A byte string for people. */
export function shown(name: string): string {
  return JSON.stringify(new TextDecoder().decode(Uint8Array.from(name, (char) => char.charCodeAt(0))));
}
