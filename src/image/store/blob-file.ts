/**
 * A blob on its way into the store: bytes are counted and hashed as they come, and it gets its name only when they are what the
 * digest says. One process at a time works on a blob; what a killed one left is taken up by the next.
 */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { digestOf, parseDigest } from "../digest.ts";
import { refuse } from "../image-error.ts";
import type { ImageStore } from "../types.ts";
import { type HeldLock, takeLock } from "./file-lock.ts";
import { errnoOf, refuseWrite, syncFolder, workPaths, writeAll } from "./layout.ts";

/** The suffix of what came so far, beside the lock of that blob. */
export const partialSuffix = ".partial";

/** A blob on its way into the store: hashed as it is written, and named when it is whole. */
export interface BlobFile {
  /** Bytes that are there. */
  readonly length: number;
  /** Takes bytes; throws a `digest_mismatch` when there are more than the descriptor says. */
  write(bytes: Uint8Array): void;
  /** Forgets everything that came. */
  restart(): void;
  /** Verifies, makes it last, and names it. Throws a `digest_mismatch` and forgets everything when it is not what it should be. */
  commit(): void;
  /** Lets go. What came so far stays for the next try, unless it was committed. */
  close(): void;
}

/**
 * Opens a blob for writing, waiting for whoever is at it; undefined when it is in the store (by then). `waiting` is called when
 * another process works on it.
 */
export async function openBlob(
  store: ImageStore,
  blob: { readonly digest: string; readonly size: number },
  waiting?: () => void,
): Promise<BlobFile | undefined> {
  const target = store.blobPath(blob.digest);
  if (isWhole(target, blob)) return undefined;
  const lock = await takeLock(store.host, lockPath(store.root, blob.digest), waiting);
  if (isWhole(target, blob)) {
    lock.remove();
    return undefined;
  }
  try {
    return new PartialBlob(lock, target, blob);
  } catch (error) {
    lock.release();
    return refuseWrite(lock.path, error);
  }
}

/** The lock of a blob that is on its way, without the suffix. */
export function lockPath(root: string, digest: string): string {
  return `${workPaths(root).blobs}/${digest.replace(":", "-")}`;
}

/** Documents are looked at once more: one that a disk damaged is written anew. */
const lookedAtBytes = 1 << 20;

/** A blob of the right size is whole: it got its name only after it was verified. */
function isWhole(path: string, { digest, size }: { readonly digest: string; readonly size: number }): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.size !== size) return false;
  return size > lookedAtBytes || digestOf(readFileSync(path), parseDigest(digest)?.algorithm) === digest;
}

class PartialBlob implements BlobFile {
  readonly #lock: HeldLock;
  readonly #path: string;
  readonly #target: string;
  readonly #digest: string;
  readonly #size: number;
  readonly #fd: number;
  #hash: Bun.CryptoHasher;
  #length = 0;
  #committed = false;

  constructor(lock: HeldLock, target: string, { digest, size }: { digest: string; size: number }) {
    this.#lock = lock;
    this.#target = target;
    this.#digest = digest;
    this.#size = size;
    this.#path = `${lock.path}${partialSuffix}`;
    this.#hash = newHash(digest);
    this.#fd = openSync(this.#path, "a+", 0o644);
    this.#takeUp();
  }

  get length(): number {
    return this.#length;
  }

  /** Hashes what an earlier try left. Whether it is right shows at the end. */
  #takeUp(): void {
    const buffer = new Uint8Array(1 << 18);
    for (;;) {
      const count = readSync(this.#fd, buffer, 0, buffer.length, this.#length);
      if (count === 0) break;
      this.#hash.update(buffer.subarray(0, count));
      this.#length += count;
    }
    if (this.#length > this.#size) this.restart();
  }

  write(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#size) {
      this.restart();
      refuse("digest_mismatch", `${this.#digest}: more bytes came than the ${this.#size} that the manifest says`);
    }
    try {
      writeAll(this.#fd, bytes);
    } catch (error) {
      refuseWrite(this.#path, error);
    }
    this.#hash.update(bytes);
    this.#length += bytes.length;
  }

  restart(): void {
    ftruncateSync(this.#fd, 0);
    this.#hash = newHash(this.#digest);
    this.#length = 0;
  }

  commit(): void {
    const found = `${parseDigest(this.#digest)?.algorithm}:${this.#hash.digest("hex")}`;
    if (found !== this.#digest || this.#length !== this.#size) {
      const what =
        found === this.#digest ? `${this.#length} bytes, not ${this.#size}` : `bytes with the digest ${found}`;
      this.restart();
      refuse("digest_mismatch", `${this.#digest}: what came are ${what}`);
    }
    try {
      fsyncSync(this.#fd);
      renameSync(this.#path, this.#target);
      syncFolder(this.#target.slice(0, this.#target.lastIndexOf("/")));
    } catch (error) {
      refuseWrite(this.#target, error);
    }
    this.#committed = true;
  }

  close(): void {
    closeSync(this.#fd);
    if (!this.#committed && this.#length > 0) {
      this.#lock.release();
      return;
    }
    if (!this.#committed) rmSync(this.#path, { force: true });
    this.#lock.remove();
  }
}

function newHash(digest: string): Bun.CryptoHasher {
  return new Bun.CryptoHasher(parseDigest(digest)?.algorithm ?? refuse("invalid_image", `${digest} is no digest`));
}

/** Writes a small blob whose bytes are at hand. */
export async function putBytes(store: ImageStore, digest: string, bytes: Uint8Array): Promise<void> {
  const blob = await openBlob(store, { digest, size: bytes.length });
  if (blob === undefined) return;
  try {
    blob.restart();
    blob.write(bytes);
    blob.commit();
  } finally {
    blob.close();
  }
}

/** Removes a blob; the bytes that it had. */
export function removeBlob(path: string): number {
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    rmSync(path, { force: true });
    return size;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    return refuseWrite(path, error);
  }
}
