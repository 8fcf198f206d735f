import { TreeError } from "../../run/tree-fs.ts";
import { addressOf, systemCall, writeAll } from "../ffi.ts";
import { at, call, failure, open } from "../system-calls.ts";
import { entryBytes, must, nameBytes } from "./names.ts";
import { chmodEntry } from "./read.ts";

/** Changing trees: see `TreeFs`. Every name is one entry of an open directory. */

/** FICLONE of linux/fs.h: the whole file by shared blocks. */
const FICLONE = 0x40049409;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const S_IFCHR = 0o020000;
const UTIME_OMIT = (1n << 30n) - 2n;

export function makeDirectory(dir: number, name: string, mode: number): void {
  must("mkdir", name, systemCall(call.mkdirat, dir, addressOf(entryBytes(name)), mode));
}

export function createFile(dir: number, name: string): number {
  const flags = open.write | open.create | open.exclusive | open.noFollow | open.closeOnExec;
  return must("create", name, systemCall(call.openat, dir, addressOf(entryBytes(name)), flags, 0o600));
}

export function write(fd: number, bytes: Uint8Array): void {
  if (bytes.length > 0) must("write", "", writeAll(fd, bytes));
}

export function copyContent(from: number, to: number): "reflink" | "copy" {
  if (systemCall(call.ioctl, to, FICLONE, from) >= 0) return "reflink";
  const end = must("lseek", "", systemCall(call.lseek, from, 0, 2));
  let offset = 0;
  while (offset < end) {
    const start = systemCall(call.lseek, from, offset, SEEK_DATA);
    if (start === -failure.ENXIO) break;
    // A file system without holes says EINVAL: all of it is data.
    const data = start < 0 ? offset : start;
    const hole = start < 0 ? end : must("lseek", "", systemCall(call.lseek, from, data, SEEK_HOLE));
    copyRange(from, to, data, hole);
    offset = hole;
  }
  must("ftruncate", "", systemCall(call.ftruncate, to, end));
  return "copy";
}

const chunkBytes = 1 << 18;

function copyRange(from: number, to: number, start: number, end: number): void {
  const chunk = new Uint8Array(Math.min(chunkBytes, end - start));
  must("lseek", "", systemCall(call.lseek, to, start, 0));
  let offset = start;
  while (offset < end) {
    const wanted = Math.min(chunk.length, end - offset);
    const got = must("read", "", systemCall(call.pread64, from, addressOf(chunk), wanted, offset));
    if (got === 0) return;
    must("write", "", writeAll(to, chunk.subarray(0, got)));
    offset += got;
  }
}

export function link(fromDir: number, from: string, toDir: number, to: string): void {
  const [source, target] = [entryBytes(from), entryBytes(to)];
  must("link", to, systemCall(call.linkat, fromDir, addressOf(source), toDir, addressOf(target), 0));
}

export function makeSymlink(dir: number, name: string, value: string): void {
  const [target, link] = [nameBytes(value), entryBytes(name)];
  must("symlink", name, systemCall(call.symlinkat, addressOf(target), dir, addressOf(link)));
}

export function makeWhiteout(dir: number, name: string): void {
  must("mknod", name, systemCall(call.mknodat, dir, addressOf(entryBytes(name)), S_IFCHR, 0));
}

export function setMode(fd: number, mode: number): void {
  must("fchmod", "", systemCall(call.fchmod, fd, mode));
}

export function setEntryMode(dir: number, name: string, mode: number): void {
  must("chmod", name, chmodEntry(dir, name, mode));
}

export function setModifiedTime(fd: number, mtimeNs: bigint): void {
  const times = new BigInt64Array([0n, UTIME_OMIT, mtimeNs / 1_000_000_000n, mtimeNs % 1_000_000_000n]);
  must("utimensat", "", systemCall(call.utimensat, fd, 0, addressOf(new Uint8Array(times.buffer)), 0));
}

export function setOwner(fd: number, uid: number, gid: number): void {
  must("fchown", "", systemCall(call.fchown, fd, uid, gid));
}

export function setAttribute(fd: number, key: string, value: Uint8Array): void {
  const bytes = value.length === 0 ? new Uint8Array(1) : value;
  const name = nameBytes(key);
  must("setxattr", key, systemCall(call.fsetxattr, fd, addressOf(name), addressOf(bytes), value.length, 0));
}

export function removeAttribute(fd: number, key: string): void {
  const name = nameBytes(key);
  must("removexattr", key, systemCall(call.fremovexattr, fd, addressOf(name)));
}

export function rename(fromDir: number, from: string, toDir: number, to: string): void {
  const [source, target] = [entryBytes(from), entryBytes(to)];
  must("rename", to, systemCall(call.renameat2, fromDir, addressOf(source), toDir, addressOf(target), 0));
}

export function unlink(dir: number, name: string): void {
  must("unlink", name, systemCall(call.unlinkat, dir, addressOf(entryBytes(name)), 0));
}

export function removeDirectory(dir: number, name: string): void {
  must("rmdir", name, systemCall(call.unlinkat, dir, addressOf(entryBytes(name)), at.removeDirectory));
}

export function sync(fd: number): void {
  must("fsync", "", systemCall(call.fsync, fd));
}

export function syncFileSystem(fd: number): void {
  must("syncfs", "", systemCall(call.syncfs, fd));
}

const [LOCK_SH, LOCK_EX, LOCK_NB] = [1, 2, 4];

export function lock(fd: number): boolean {
  return tryFlock(fd, LOCK_EX);
}

export function share(fd: number): boolean {
  return tryFlock(fd, LOCK_SH);
}

function tryFlock(fd: number, kind: number): boolean {
  const result = systemCall(call.flock, fd, kind | LOCK_NB);
  if (result === -failure.EAGAIN) return false;
  if (result < 0) throw new TreeError("flock", "", -result);
  return true;
}
