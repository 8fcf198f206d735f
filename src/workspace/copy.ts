import { type EntryStat, TreeError, type TreeFs } from "../run/tree-fs.ts";
import { compareBytes, isWithin, joinPath, nameOf, parentOf } from "./bytes.ts";
import { readWhole, replaceFile } from "./files.ts";
import type { Layer, LayerEntry } from "./layer.ts";
import { travels } from "./same.ts";
import { TreeCursor } from "./tree-cursor.ts";

/**
 * Where overlayfs is refused, the task works on a copy: made by reflink where the file system can, byte by byte elsewhere. A manifest
 * of the copy as it was made tells later what the task changed. Sockets, pipes, devices and what the caller can't read are left out.
 */

const manifestName = "manifest.json";

/** Path and fingerprint of every entry of a fresh copy, in the order of copying. */
type Manifest = readonly (readonly [path: string, fingerprint: string])[];

/** Equal as long as nobody has touched the entry: ctime can't be set. Directories count by their mode alone. */
function fingerprint(stat: EntryStat): string {
  return stat.type === "directory" ? `d${stat.mode}` : `${stat.inode} ${stat.ctimeNs}`;
}

/** A copy that was made. */
export interface CopyOutcome {
  readonly mechanism: "reflink copy" | "copy";
  /** Entries left out, and why. */
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
}

/** Copies the tree at `host` into the empty directory `copy`, which lies in `dir` beside the manifest. */
export function makeCopy(fs: TreeFs, host: TreeCursor, copy: number, dir: number): CopyOutcome {
  const copier = new Copier(fs, host, new TreeCursor(fs, copy));
  copier.run();
  const manifest = copier.made.map((path) => {
    const stat = copier.copy.stat(path);
    return [path, stat === undefined ? "" : fingerprint(stat)] as const;
  });
  copier.copy.forget();
  replaceFile(fs, dir, manifestName, new TextEncoder().encode(JSON.stringify(manifest)));
  return { mechanism: copier.bytesCopied ? "copy" : "reflink copy", leftOut: copier.leftOut };
}

class Copier {
  readonly made: string[] = [];
  readonly leftOut: { path: string; why: string }[] = [];
  readonly copy: TreeCursor;
  bytesCopied = false;
  /** The first copy of each file that has more names than one. */
  readonly #linked = new Map<string, string>();
  readonly #fs: TreeFs;
  readonly #host: TreeCursor;
  readonly #ownUid: number;

  constructor(fs: TreeFs, host: TreeCursor, copy: TreeCursor) {
    this.#fs = fs;
    this.#host = host;
    this.copy = copy;
    this.#ownUid = fs.stat(copy.root, "")?.uid ?? 0;
  }

  run(): void {
    const directories: { path: string; stat: EntryStat }[] = [];
    const pending = [""];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      for (const name of this.#names(path)) {
        const child = joinPath(path, name);
        const stat = this.#host.stat(child);
        if (stat === undefined || !this.#copyEntry(child, stat)) continue;
        this.made.push(child);
        if (stat.type !== "directory") continue;
        directories.push({ path: child, stat });
        pending.push(child);
      }
    }
    // Modes last, children first: a directory that can't be written is filled before.
    for (const { path, stat } of directories.reverse()) {
      this.#finish(this.copy.directory(path), this.#host.attributes(path, travels), stat);
    }
  }

  #names(path: string): string[] {
    try {
      return this.#host.list(path);
    } catch (error) {
      this.#leaveOut(path, error);
      return [];
    }
  }

  /** Whether there is a copy of it now. */
  #copyEntry(path: string, stat: EntryStat): boolean {
    const dir = this.copy.parent(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    try {
      if (stat.type === "directory") this.#fs.makeDirectory(dir, name, 0o700);
      else if (stat.type === "symlink") this.#fs.makeSymlink(dir, name, this.#host.readLink(path));
      else if (stat.type === "file") {
        if (this.#linkFile(dir, name, stat)) return true;
        this.#copyFile(path, dir, name, stat);
        if (stat.links > 1) this.#linked.set(stat.inode, path);
      } else {
        this.leftOut.push({ path, why: `a ${stat.type}` });
        return false;
      }
      return true;
    } catch (error) {
      this.#leaveOut(path, error);
      return false;
    }
  }

  /** What is one file with several names on the host is one in the copy too. */
  #linkFile(dir: number, name: string, stat: EntryStat): boolean {
    const first = this.#linked.get(stat.inode);
    if (stat.links === 1 || first === undefined) return false;
    const parent = this.#fs.directory(this.copy.root, parentOf(first));
    try {
      this.#fs.link(parent, nameOf(first), dir, name);
      return true;
    } catch (error) {
      // As many names as the file system allows: a file of its own then.
      if (error instanceof TreeError && error.errno === EMLINK) return false;
      throw error;
    } finally {
      this.#fs.close(parent);
    }
  }

  #copyFile(path: string, dir: number, name: string, stat: EntryStat): void {
    const from = this.#host.openFile(path);
    try {
      const to = this.#fs.createFile(dir, name);
      try {
        if (this.#fs.copyContent(from, to) === "copy" && stat.size > 0) this.bytesCopied = true;
        this.#finish(to, this.#host.attributes(path, travels), stat);
      } finally {
        this.#fs.close(to);
      }
    } finally {
      this.#fs.close(from);
    }
  }

  #finish(fd: number, attributes: ReadonlyMap<string, Uint8Array>, stat: EntryStat): void {
    for (const [key, value] of attributes) this.#fs.setAttribute(fd, key, value);
    if (this.#ownUid === 0 && (stat.uid !== 0 || stat.gid !== 0)) this.#fs.setOwner(fd, stat.uid, stat.gid);
    this.#fs.setMode(fd, stat.mode);
    this.#fs.setModifiedTime(fd, stat.mtimeNs);
  }

  /** Only what the caller may not read is passed over; a full disk is an error. */
  #leaveOut(path: string, error: unknown): void {
    if (!(error instanceof TreeError) || (error.errno !== EACCES && error.errno !== EPERM)) throw error;
    this.leftOut.push({ path, why: "not readable" });
  }
}

const EPERM = 1;
const EACCES = 13;
const EMLINK = 31;

/** A copy as a layer: what differs from its manifest. */
export function copyLayer(fs: TreeFs, tree: TreeCursor, dir: number): Layer {
  return { tree, entries: () => compareWithManifest(fs, tree, dir) };
}

function compareWithManifest(fs: TreeFs, tree: TreeCursor, dir: number): LayerEntry[] {
  const bytes = readWhole(fs, dir, manifestName, 1 << 30);
  // Killed while the copy was made: the task never ran.
  if (bytes === undefined) return [];
  const manifest = new Map(JSON.parse(new TextDecoder().decode(bytes)) as Manifest);
  const entries: LayerEntry[] = [];
  const seen = new Set<string>();
  const directories = new Set<string>([""]);
  const pending = [""];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const name of tree.list(path)) {
      const child = joinPath(path, name);
      const stat = tree.stat(child);
      if (stat === undefined) continue;
      seen.add(child);
      if (manifest.get(child) !== fingerprint(stat))
        entries.push({ kind: "present", path: child, stat, replaces: false });
      if (stat.type !== "directory") continue;
      directories.add(child);
      pending.push(child);
    }
  }
  return [...entries, ...missingEntries(manifest, seen, directories)];
}

/** What the manifest has and the copy has not: of a whole tree only its top. */
function missingEntries(
  manifest: ReadonlyMap<string, string>,
  seen: ReadonlySet<string>,
  directories: ReadonlySet<string>,
): LayerEntry[] {
  const entries: LayerEntry[] = [];
  let top = "\0";
  for (const path of [...manifest.keys()].sort((a, b) => compareBytes(`${a}/`, `${b}/`))) {
    if (seen.has(path) || isWithin(path, top)) continue;
    top = path;
    if (directories.has(parentOf(path))) entries.push({ kind: "deleted", path });
  }
  return entries;
}
