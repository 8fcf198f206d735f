import type { EntryKind, SparsePiece, TarEntry } from "./entry.ts";
import { blockBytes, byteString, decodeHeader, type Header, isZero } from "./header.ts";
import { nameLimits, type UnpackLimits } from "./limits.ts";
import { decodePax, type PaxRecords, paxNumber, paxTime } from "./pax.ts";
import { LayerRefusal } from "./refusal.ts";
import { checkPieces, readSparseBlocks, type SparseMap, sparseOfHeader, sparseOfPax } from "./sparse.ts";

/** Where an archive's bytes come from: fills the start of a buffer and says how far; 0 at the end. */
export type ByteSource = (into: Uint8Array) => number;

const kinds: Readonly<Record<string, EntryKind>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "fifo",
};

const attributePrefix = "SCHILY.xattr.";
const bufferBytes = 1 << 18;

/** Reads an archive entry by entry, in constant memory, and refuses whatever two readers could understand differently. */
export class TarReader {
  readonly #source: ByteSource;
  readonly #limits: UnpackLimits;
  readonly #buffer = new Uint8Array(bufferBytes);
  #start = 0;
  #end = 0;
  /** Bytes of the current entry's data that were not read, and of the padding after them. */
  #left = 0;
  #padding = 0;
  #name = "";
  #entries = 0;

  constructor(source: ByteSource, limits: UnpackLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  /** The next entry, or undefined after the last one. Data of the one before that was not asked for is passed over. */
  next(): TarEntry | undefined {
    this.data(() => undefined);
    let records: PaxRecords | undefined;
    let longName: string | undefined;
    let longLink: string | undefined;
    for (;;) {
      const block = this.#block(records !== undefined || longName !== undefined || longLink !== undefined);
      if (block === undefined) return undefined;
      const header = decodeHeader(block);
      this.#name = longName ?? header.name;
      switch (header.type) {
        case "x":
          if (records !== undefined) throw new LayerRefusal("it has two extended headers", header.name);
          records = decodePax(this.#meta(header), header.name);
          continue;
        case "g":
          this.#passGlobal(header);
          continue;
        case "L":
          longName = this.#longText(header);
          continue;
        case "K":
          longLink = this.#longText(header);
          continue;
      }
      this.#entries++;
      return this.#entry(header, block.slice(), records ?? [], longName, longLink);
    }
  }

  /** Hands on the current entry's data, in pieces that are valid until the next call. */
  data(take: (bytes: Uint8Array) => void): void {
    while (this.#left > 0) {
      if (this.#start === this.#end) this.#fill();
      const end = Math.min(this.#end, this.#start + this.#left);
      take(this.#buffer.subarray(this.#start, end));
      this.#left -= end - this.#start;
      this.#start = end;
    }
    while (this.#padding > 0) {
      if (this.#start === this.#end && !this.#more()) this.#padding = 0;
      const count = Math.min(this.#padding, this.#end - this.#start);
      this.#padding -= count;
      this.#start += count;
    }
  }

  #entry(header: Header, block: Uint8Array, records: PaxRecords, longName?: string, longLink?: string): TarEntry {
    const said = (key: string) => records.findLast(([name]) => name === key)?.[1];
    const count = (key: "uid" | "gid" | "size") => {
      const value = said(key);
      return value === undefined ? header[key] : paxNumber(value, key, this.#name);
    };
    const path = said("path");
    const linkpath = said("linkpath");
    const name = path === undefined ? (longName ?? header.name) : byteString(path);
    this.#name = name;
    let kind = kinds[header.type];
    if (kind === undefined) throw new LayerRefusal(`its type ${JSON.stringify(header.type)} is unknown`, name);
    if (kind === "file" && name.endsWith("/")) kind = "directory";
    const dataBytes = count("size");
    if (kind !== "file" && kind !== "directory" && dataBytes > 0)
      throw new LayerRefusal("it is no file and claims to have content", name);
    // Some programs write a directory's size and no content; nobody writes content.
    this.#left = kind === "file" ? dataBytes : 0;
    this.#padding = (blockBytes - (this.#left % blockBytes)) % blockBytes;
    const sparse = this.#sparse(header, block, records, name);
    const [uid, gid] = [count("uid"), count("gid")];
    if (uid < 0 || gid < 0) throw new LayerRefusal("its owner is negative", name);
    const size = kind === "file" ? (sparse?.size ?? dataBytes) : 0;
    if (size > this.#limits.fileBytes)
      throw new LayerRefusal(`it is larger than ${this.#limits.fileBytes} bytes`, name, "layer_size");
    const mtime = said("mtime");
    return {
      kind,
      name: sparse?.name ?? name,
      link: linkpath === undefined ? (longLink ?? header.link) : byteString(linkpath),
      mode: header.mode,
      uid,
      gid,
      mtimeNs: mtime === undefined ? BigInt(header.mtime) * 1_000_000_000n : paxTime(mtime, "mtime", name),
      size,
      pieces: sparse?.pieces,
      attributes: attributesOf(records),
    };
  }

  #sparse(header: Header, block: Uint8Array, records: PaxRecords, name: string) {
    const nextBlock = () => this.#take(blockBytes).slice();
    let map: SparseMap | undefined = sparseOfPax(records, name);
    if (header.type === "S") {
      if (map !== undefined) throw new LayerRefusal("it has two sparse maps", name);
      map = sparseOfHeader(block, nextBlock, name);
    }
    if (map === undefined) return undefined;
    let pieces: readonly SparsePiece[];
    if (map.pieces === undefined) {
      if (this.#left < blockBytes) throw new LayerRefusal("its sparse map is malformed", name);
      const read = readSparseBlocks(nextBlock, name);
      this.#left -= read.bytes;
      pieces = read.pieces;
    } else {
      pieces = map.pieces;
    }
    checkPieces(pieces, map.size, this.#left, name);
    return { ...map, pieces };
  }

  /** A header for the whole archive. Other programs pass it over, so one that would change an entry is refused. */
  #passGlobal(header: Header): void {
    for (const [key] of decodePax(this.#meta(header), header.name)) {
      if (key !== "comment") throw new LayerRefusal(`a global header sets ${JSON.stringify(key)}`, header.name);
    }
  }

  #longText(header: Header): string {
    const bytes = this.#meta(header);
    const end = bytes.indexOf(0);
    return byteString(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** The content of a header's own entry, whole. */
  #meta(header: Header): Uint8Array {
    if (header.size > nameLimits.extendedHeader)
      throw new LayerRefusal(`its extended header is larger than ${nameLimits.extendedHeader} bytes`, header.name);
    const content = new Uint8Array(header.size);
    let at = 0;
    this.#left = header.size;
    this.#padding = (blockBytes - (header.size % blockBytes)) % blockBytes;
    this.data((bytes) => {
      content.set(bytes, at);
      at += bytes.length;
    });
    return content;
  }

  /** The next header, or undefined at the end: two blocks of zeros, after which nothing but zeros may come, or nothing at all. */
  #block(unfinished: boolean): Uint8Array | undefined {
    this.#name = "";
    // Some writers (umoci's insert) leave out the padding of the last file and the two blocks. The layer's digest says that this is all.
    if (this.#start === this.#end && this.#entries > 0 && !unfinished && !this.#more()) return undefined;
    const first = this.#take(blockBytes);
    if (!isZero(first)) return first;
    if (unfinished) throw new LayerRefusal("the archive ends after a header that announces an entry");
    if (!isZero(this.#take(blockBytes))) throw new LayerRefusal("one block of zeros stands between entries");
    for (;;) {
      if (!isZero(this.#buffer.subarray(this.#start, this.#end)))
        throw new LayerRefusal("there is something after the archive's end");
      this.#start = 0;
      this.#end = this.#source(this.#buffer);
      if (this.#end === 0) return undefined;
    }
  }

  #take(count: number): Uint8Array {
    while (this.#end - this.#start < count) this.#fill();
    const taken = this.#buffer.subarray(this.#start, this.#start + count);
    this.#start += count;
    return taken;
  }

  #fill(): void {
    if (!this.#more()) throw new LayerRefusal("the archive is cut off", this.#name === "" ? undefined : this.#name);
  }

  /** Reads on; false at the end. */
  #more(): boolean {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const got = this.#source(this.#buffer.subarray(this.#end));
    this.#end += got;
    return got > 0;
  }
}

function attributesOf(records: PaxRecords): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    if (key.startsWith(attributePrefix)) found.set(key.slice(attributePrefix.length), value);
  }
  return found;
}
