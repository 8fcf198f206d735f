/** The store's folders and the files that everything else rests on. An OCI image layout, with a folder of our own beside it. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { refuse } from "../image-error.ts";

/** What is under way, and locks. Other programs take no notice of it. */
export interface WorkPaths {
  readonly indexLock: string;
  /** One lock for each blob that is on its way, and what came of it so far. */
  readonly blobs: string;
  /** One file for each pull that is alive: what it needs, and its lock. */
  readonly leases: string;
}

/** Places of what is on its way in a store. */
export function workPaths(root: string): WorkPaths {
  return { indexLock: `${root}/work/index.lock`, blobs: `${root}/work/blobs`, leases: `${root}/work/leases` };
}

/**
 * Makes what is missing of a store. Only its owner may enter it: a layer holds set-user-id programs of strangers. Throws an
 * ImageError when the place can't be written.
 */
export function initStore(root: string): void {
  const { blobs, leases } = workPaths(root);
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    for (const folder of [`${root}/blobs/sha256`, `${root}/blobs/sha512`, blobs, leases]) {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    }
  } catch (error) {
    refuseWrite(root, error);
  }
}

/** The refusal for a store that can't be written. */
export function refuseWrite(path: string, error: unknown): never {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  if (errno === "EACCES" || errno === "EPERM" || errno === "EROFS") {
    refuse("permission", `the image store can't be written: ${path}: ${errno}`, "RAUHA_STORE=/DIR names another place");
  }
  const hint = errno === "ENOSPC" || errno === "EDQUOT" ? "rauha image prune removes what no image needs" : undefined;
  refuse("setup_failed", `the image store can't be written: ${path}: ${errno}`, hint);
}

/** `ENOENT` and the like of a failed system call; undefined for any other mistake. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && /^E[A-Z0-9]+$/.test(String(error.code)) && "syscall" in error
    ? String(error.code)
    : undefined;
}

/** Writes the file that marks an OCI image layout, unless it is there. Under the index lock. */
export function markLayout(root: string): void {
  const path = `${root}/oci-layout`;
  if (existsSync(path)) return;
  try {
    replaceFile(path, '{"imageLayoutVersion":"1.0.0"}');
  } catch (error) {
    refuseWrite(path, error);
  }
}

/** Replaces a file as a whole: whoever reads it, and whoever comes after a crash, finds the old text or the new. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.new-${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  const fd = openSync(temporary, "wx", 0o644);
  try {
    writeAll(fd, new TextEncoder().encode(text));
    fsyncSync(fd);
    closeSync(fd);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(path.slice(0, path.lastIndexOf("/")));
}

/** Writes all bytes; throws the error of write(2). */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}

/** Makes the names in a folder last. */
export function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
