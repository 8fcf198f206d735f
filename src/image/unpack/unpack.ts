import { hasId, lastId, type ZoneIds } from "../../run/ids/zone-ids.ts";
import { TreeError } from "../../run/tree-fs.ts";
import { keptAttributes } from "./attributes.ts";
import { LayerDirectories, markOpaque, setOpaque, shown } from "./directories.ts";
import type { TarEntry } from "./entry.ts";
import type { LayerFs } from "./layer-fs.ts";
import type { UnpackLimits } from "./limits.ts";
import { markOf, type Place, placeOf } from "./name.ts";
import { type ByteSource, TarReader } from "./reader.ts";
import { deviceReason, LayerRefusal, ownerReason, pipeReason } from "./refusal.ts";

/** What of an archive is kept, and how much of it is taken. */
export interface UnpackOptions {
  readonly limits: UnpackLimits;
  /** Whether owners, file capabilities and ACLs are kept: the caller may set them. Otherwise everything is the caller's. */
  readonly owners: boolean;
  /** The ids that zones have who may see the layer; default: those of root's zones. */
  readonly ids?: Pick<ZoneIds, "uid" | "gid"> | undefined;
}

/** What an archive came to. */
export interface UnpackSummary {
  readonly entries: number;
  /** Bytes written to files. */
  readonly bytes: number;
  /** Bytes of the largest file, holes included. */
  readonly largestFile: number;
  /** Bytes of the archive out of its compression. */
  readonly archiveBytes: number;
  /** Directories that are only there because something lies in them: the archive says nothing of them. Byte strings. */
  readonly implied: readonly string[];
  /** The layer hides everything below it. */
  readonly hidesAll: boolean;
}

/** The ids of a zone of root's. */
const rootLine = [{ inside: 0, outside: 0, count: 65536 }];
const rootIds = { uid: rootLine, gid: rootLine };
/** Mount points of every zone: a symlink there would put the zone's own files where it leads. */
const zoneDirectories = ["dev", "proc", "sys"];
const EEXIST = 17;

/**
 * Unpacks one layer's archive into an empty directory, as overlayfs wants a lower layer: whiteouts are character devices 0:0, opaque
 * directories have an attribute. The archive is hostile until proven otherwise: every entry's directory is opened from the layer's
 * root without following anything, every name is one entry of it, and what two programs could understand in two ways is refused.
 */
export function unpackArchive(source: ByteSource, fs: LayerFs, root: number, options: UnpackOptions): UnpackSummary {
  let archiveBytes = 0;
  const counted = (into: Uint8Array) => {
    const count = source(into);
    archiveBytes += count;
    return count;
  };
  const summary = new Unpacking(fs, root, options).run(new TarReader(counted, options.limits));
  return { ...summary, archiveBytes };
}

class Unpacking {
  readonly #fs: LayerFs;
  readonly #root: number;
  readonly #options: UnpackOptions;
  readonly #directories: LayerDirectories;
  #entries = 0;
  #bytes = 0;
  #largestFile = 0;
  #hidesAll = false;

  constructor(fs: LayerFs, root: number, options: UnpackOptions) {
    this.#fs = fs;
    this.#root = root;
    this.#options = options;
    this.#directories = new LayerDirectories(fs, root);
  }

  run(reader: TarReader): Omit<UnpackSummary, "archiveBytes"> {
    for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
      if (++this.#entries > this.#options.limits.entries)
        throw new LayerRefusal(
          `the archive has more than ${this.#options.limits.entries} entries`,
          entry.name,
          "layer_entries",
        );
      this.#put(entry, reader);
    }
    this.#directories.finish();
    return {
      entries: this.#entries,
      bytes: this.#bytes,
      largestFile: this.#largestFile,
      implied: this.#directories.implied(),
      hidesAll: this.#hidesAll,
    };
  }

  #put(entry: TarEntry, reader: TarReader): void {
    const place = placeOf(entry.name);
    const mark = markOf(place.name, entry.name);
    if (mark !== undefined) {
      if (entry.kind !== "file") throw new LayerRefusal("a whiteout that is no file", entry.name);
      if (mark.kind === "opaque") this.#hideAll(place.parent, entry);
      if (mark.kind === "whiteout") this.#hide(place.parent, mark.name, entry);
      return;
    }
    this.#checkOwner(entry);
    switch (entry.kind) {
      case "directory":
        this.#putDirectory(entry, place);
        break;
      case "file":
        this.#putFile(entry, place, reader);
        break;
      case "symlink":
        this.#putSymlink(entry, place);
        break;
      case "hardlink":
        this.#putLink(entry, place);
        break;
      case "device":
        throw new LayerRefusal(deviceReason, entry.name);
      case "fifo":
        throw new LayerRefusal(pipeReason, entry.name);
    }
  }

  #putDirectory(entry: TarEntry, { parent, name }: Place): void {
    const path = parent === "" ? name : `${parent}/${name}`;
    if (name !== "") {
      const dir = this.#directories.enter(parent, entry.name);
      const before = this.#fs.stat(dir, name)?.type;
      if (before !== undefined && before !== "directory" && before !== "whiteout") throw conflict(entry, before);
      if (before === "whiteout") this.#fs.unlink(dir, name);
      if (before !== "directory") this.#fs.makeDirectory(dir, name, 0o700);
      if (before === "whiteout") markOpaque(this.#fs, dir, name);
    }
    const attributes = keptAttributes(entry.attributes, this.#options.owners, entry.name);
    if (this.#options.owners || attributes.length > 0) {
      const fd = this.#fs.directory(this.#root, path);
      if (this.#options.owners) this.#fs.setOwner(fd, entry.uid, entry.gid);
      this.#setAttributes(fd, attributes, entry);
      this.#fs.close(fd);
    }
    this.#directories.describe(path, { mode: entry.mode, mtimeNs: entry.mtimeNs });
  }

  #putFile(entry: TarEntry, place: Place, reader: TarReader): void {
    const fs = this.#fs;
    const dir = this.#parentOf(entry, place);
    this.#largestFile = Math.max(this.#largestFile, entry.size);
    const fd = this.#fresh(entry, dir, place.name, () => fs.createFile(dir, place.name));
    try {
      this.#writeContent(entry, fd, reader);
      if (this.#options.owners) fs.setOwner(fd, entry.uid, entry.gid);
      this.#setAttributes(fd, keptAttributes(entry.attributes, this.#options.owners, entry.name), entry);
      // After the owner, whose change takes set-id bits away.
      fs.setMode(fd, entry.mode);
      fs.setModifiedTime(fd, entry.mtimeNs);
    } finally {
      fs.close(fd);
    }
  }

  #writeContent(entry: TarEntry, fd: number, reader: TarReader): void {
    const fs = this.#fs;
    if (entry.pieces === undefined) {
      reader.data((bytes) => {
        fs.write(fd, bytes);
        this.#bytes += bytes.length;
      });
      return;
    }
    const pieces = entry.pieces.filter(({ length }) => length > 0);
    let at = 0;
    let done = 0;
    reader.data((bytes) => {
      for (let from = 0; from < bytes.length; ) {
        const piece = pieces[at];
        if (piece === undefined) throw new LayerRefusal("its sparse map does not fit its data", entry.name);
        if (done === 0) fs.seek(fd, piece.offset);
        const count = Math.min(bytes.length - from, piece.length - done);
        fs.write(fd, bytes.subarray(from, from + count));
        this.#bytes += count;
        from += count;
        done += count;
        if (done === piece.length) [at, done] = [at + 1, 0];
      }
    });
    fs.setSize(fd, entry.size);
  }

  #putSymlink(entry: TarEntry, place: Place): void {
    const { link } = entry;
    if (link === "" || link.includes("\0")) throw new LayerRefusal("a symlink to nothing", entry.name);
    const dir = this.#parentOf(entry, place);
    this.#fresh(entry, dir, place.name, () => this.#fs.makeSymlink(dir, place.name, link));
    if (this.#options.owners) this.#fs.setEntryOwner(dir, place.name, entry.uid, entry.gid);
    this.#fs.setEntryTime(dir, place.name, entry.mtimeNs);
  }

  #putLink(entry: TarEntry, place: Place): void {
    const target = placeOf(entry.link, entry.name);
    const from = this.#directories.open(target.parent, entry.name, "the directory of the hard link's target");
    try {
      const type = target.name === "" ? "directory" : this.#fs.stat(from, target.name)?.type;
      if (type === undefined)
        throw new LayerRefusal(`a hard link to ${shown(entry.link)}, which the layer does not have`, entry.name);
      if (type !== "file" && type !== "symlink") throw new LayerRefusal(`a hard link to a ${type}`, entry.name);
      if (target.parent === place.parent && target.name === place.name)
        throw new LayerRefusal("a hard link to itself", entry.name);
      const dir = this.#parentOf(entry, place);
      this.#fresh(entry, dir, place.name, () => this.#fs.makeLink(from, target.name, dir, place.name));
    } finally {
      this.#fs.close(from);
    }
  }

  /** `.wh.NAME`: what lower layers have of that name is gone. What this layer has of it stays, but is not merged with it. */
  #hide(parent: string, name: string, entry: TarEntry): void {
    const dir = this.#directories.enter(parent, entry.name);
    const there = this.#fs.stat(dir, name)?.type;
    if (there === undefined) this.#fs.makeWhiteout(dir, name);
    if (there === "directory") markOpaque(this.#fs, dir, name);
  }

  #hideAll(path: string, entry: TarEntry): void {
    const dir = this.#directories.enter(path, entry.name);
    // Overlayfs does not ask the top of a layer: whoever stacks layers has to.
    if (path === "") this.#hidesAll = true;
    else setOpaque(this.#fs, dir);
  }

  /** Makes a new entry; one of the same kind that is there already gives way, as the archive's last word counts. */
  #fresh<T>(entry: TarEntry, dir: number, name: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof TreeError) || error.errno !== EEXIST) throw error;
    }
    const before = this.#fs.stat(dir, name)?.type;
    const wanted = entry.kind === "hardlink" ? "file" : entry.kind;
    if (before !== "whiteout" && before !== wanted) throw conflict(entry, before ?? "nothing");
    this.#fs.unlink(dir, name);
    return make();
  }

  #setAttributes(fd: number, attributes: readonly (readonly [string, Uint8Array])[], entry: TarEntry): void {
    for (const [key, value] of attributes) {
      try {
        this.#fs.setAttribute(fd, key, value);
      } catch (error) {
        if (!(error instanceof TreeError)) throw error;
        throw new LayerRefusal(`its attribute ${JSON.stringify(key)} can't be set (errno ${error.errno})`, entry.name);
      }
    }
  }

  /** An owner outside could not be shown to any zone. */
  #checkOwner({ uid, gid, name }: TarEntry): void {
    const { owners, ids = rootIds } = this.#options;
    if (!owners || (hasId(ids.uid, uid) && hasId(ids.gid, gid))) return;
    const last = Math.min(lastId(ids.uid), lastId(ids.gid));
    throw new LayerRefusal(`its owner ${uid}:${gid} ${ownerReason} ${last}`, name);
  }

  #parentOf(entry: TarEntry, { parent, name }: Place): number {
    if (name === "") throw new LayerRefusal(`a ${entry.kind} in the place of the layer's root`, entry.name);
    if (parent === "" && zoneDirectories.includes(name))
      throw new LayerRefusal(`a ${entry.kind} in the place of a directory that is the zone's own`, entry.name);
    return this.#directories.enter(parent, entry.name);
  }
}

function conflict(entry: TarEntry, before: string): LayerRefusal {
  return new LayerRefusal(`a ${entry.kind} in the place of a ${before} of the same layer`, entry.name);
}
