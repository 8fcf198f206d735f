/** An archive that is to be imported, as a file that can be read anywhere: what is packed or comes by a pipe is written down first. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Policy } from "../../run/policy/policy.ts";
import { ImageError, refuse } from "../image-error.ts";
import { brokenLimit, refuseLayer } from "../layers/layer-limits.ts";
import { errnoOf } from "../store/layout.ts";
import { openSpool, type Spool } from "../store/spool.ts";
import type { Compression, ImageStore } from "../types.ts";
import { type ArchiveKind, ArchiveScan } from "./archive-scan.ts";

const pieceBytes = 1 << 18;

/** What was found out about a file. */
export interface OpenArchive {
  readonly kind: ArchiveKind;
  /** Of the file as it was given. */
  readonly compression: Compression;
  readonly scan: ArchiveScan;
  /** The file as it was given, from the start. */
  given(): Generator<Uint8Array>;
  /** The file without its compression. */
  unpacked(): AsyncIterable<Uint8Array>;
  /** Part of the unpacked file. Not for a root file system. */
  part(offset: number, size: number): Generator<Uint8Array>;
  close(): void;
}

/** Opens a file, or standard input for `-`. Throws an ImageError for what can't be read or is nothing that can be imported. */
export async function openArchive(store: ImageStore, path: string, policy: Policy): Promise<OpenArchive> {
  const spools: Spool[] = [];
  const fd = path === "-" ? 0 : openGiven(path);
  const close = () => {
    for (const spool of spools) spool.close();
    if (fd !== 0) closeSync(fd);
  };
  try {
    const isFile = fstatSync(fd).isFile() && path !== "-";
    const given = isFile ? fd : await spoolOf(store, piecesOfPipe(fd), spools);
    const compression = sniff(given);
    const scan = new ArchiveScan();
    const packedBytes = fstatSync(given).size;
    const unpacked = () => bounded(decompressed(pieces(given, 0), compression), packedBytes, policy);
    const plain = compression === "none" ? undefined : await openSpool(store);
    if (plain !== undefined) spools.push(plain);
    for await (const piece of unpacked()) {
      if (!scan.feed(piece)) break;
      plain?.write(piece);
    }
    return {
      kind: scan.kind(),
      compression,
      scan,
      given: () => pieces(given, 0),
      unpacked,
      part: (offset, size) => pieces(plain?.fd ?? given, offset, size),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function openGiven(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    if (errno === "ENOENT" || errno === "ENOTDIR") refuse("not_found", `there is no file ${path}`);
    return refuse(errno === "EACCES" ? "permission" : "setup_failed", `${path} can't be read: ${errno}`);
  }
}

async function spoolOf(store: ImageStore, source: Iterable<Uint8Array>, spools: Spool[]): Promise<number> {
  const spool = await openSpool(store);
  spools.push(spool);
  for (const piece of source) spool.write(piece);
  return spool.fd;
}

function* piecesOfPipe(fd: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(pieceBytes);
  for (;;) {
    let count: number;
    try {
      count = readSync(fd, buffer, 0, buffer.length, null);
    } catch (error) {
      if (errnoOf(error) === "EAGAIN") continue;
      throw error;
    }
    if (count === 0) return;
    yield buffer.subarray(0, count);
  }
}

/** Pieces of a file. They are the caller's: none is written over. */
function* pieces(fd: number, offset: number, size = Number.POSITIVE_INFINITY): Generator<Uint8Array> {
  for (let at = offset; at < offset + size; ) {
    const buffer = new Uint8Array(Math.min(pieceBytes, offset + size - at));
    const count = readSync(fd, buffer, 0, buffer.length, at);
    if (count === 0) return;
    at += count;
    yield buffer.subarray(0, count);
  }
}

/** Stops at what grows as only a bomb does, before it fills the disk. */
async function* bounded(source: AsyncIterable<Uint8Array>, packedBytes: number, policy: Policy) {
  const image = { ...policy.image, layerSizeBytes: Number.POSITIVE_INFINITY };
  let total = 0;
  for await (const piece of source) {
    total += piece.length;
    const broken = brokenLimit(image, total, packedBytes);
    if (broken !== undefined) refuseLayer(policy, broken, "the archive");
    yield piece;
  }
}

/** How some bytes are packed, by how they begin. */
function sniff(fd: number): Compression {
  const head = new Uint8Array(6);
  const begins = (...magic: number[]) => magic.every((byte, index) => head[index] === byte);
  readSync(fd, head, 0, head.length, 0);
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a)) {
    refuse("unsupported", "an archive packed with xz can't be imported", "xz -dc FILE | rauha image import - REF");
  }
  if (begins(0x42, 0x5a, 0x68)) {
    refuse(
      "unsupported",
      "an archive packed with bzip2 can't be imported",
      "bzip2 -dc FILE | rauha image import - REF",
    );
  }
  return compressionOf(head);
}

/** The compression that the first bytes tell of: RFC 1952 and RFC 8878. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd ? "zstd" : "none";
}

/** Takes bytes out of their compression. Throws an `invalid_image` for damage. */
export async function* decompressed(
  source: Iterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  if (compression === "none") {
    yield* source;
    return;
  }
  const unpack = compression === "gzip" ? createGunzip({ chunkSize: pieceBytes }) : createZstdDecompress();
  try {
    // A failure of either ends both; the one that is read from reports it.
    pipeline(Readable.from(source), unpack, () => undefined);
    for await (const piece of unpack) yield piece as Uint8Array;
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    refuse("invalid_image", `it can't be decompressed (${compression}): ${why}`);
  } finally {
    unpack.destroy();
  }
}
