import { type EntryStat, TreeError } from "../../run/tree-fs.ts";
import { addressOf, closeFd, systemCall } from "../ffi.ts";
import { at, call, failure, open, resolve } from "../system-calls.ts";
import { byteString, entryBytes, must, nameBytes, written } from "./names.ts";
import { decodeStat, statMask, statRecordBytes } from "./stat-record.ts";

/** Looking at trees: see `TreeFs`. Nothing here follows a symlink below the directory it is given. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function now(): bigint {
  const time = new BigInt64Array(2);
  must("clock_gettime", "", systemCall(call.clock_gettime, 0, addressOf(new Uint8Array(time.buffer))));
  return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
}

export function nowDigits(): string {
  // struct timespec, 64 bits each; no BigInt, whose first use costs as much as ten system calls.
  const time = new Uint32Array(4);
  must("clock_gettime", "", systemCall(call.clock_gettime, 0, addressOf(time)));
  return `${(time[1] ?? 0) * 2 ** 32 + (time[0] ?? 0)}${String(time[2]).padStart(9, "0")}`;
}

export function root(path: string): number {
  const bytes = encoder.encode(`${path}\0`);
  const flags = open.read | open.directory | open.closeOnExec;
  return must("open", path, systemCall(call.openat, at.current, addressOf(bytes), flags));
}

export function pathOf(fd: number): string {
  const path = nameBytes(`/proc/self/fd/${fd}`);
  const target = written((address, size) => systemCall(call.readlinkat, at.current, addressOf(path), address, size));
  if (typeof target === "number") throw new TreeError("readlink", `descriptor ${fd}`, -target);
  return decoder.decode(target);
}

export function directory(dir: number, path: string): number {
  return must("open", path, openBelow(dir, path === "" ? "." : path, open.read | open.directory));
}

/**
 * openat2(2) that stays below `dir` and follows nothing. The kernel answers EAGAIN when a rename elsewhere disturbed the walk: then
 * again, a bounded number of times.
 */
export function openBelow(dir: number, path: string, flags: number): number {
  const bytes = nameBytes(path);
  // struct open_how: flags, mode, resolve, 64 bits each; both machines are little-endian.
  const how = new Uint32Array(6);
  how[0] = flags | open.noFollow | open.closeOnExec;
  how[4] = resolve.beneath | resolve.noSymlinks | resolve.noMagicLinks;
  let fd = -failure.EAGAIN;
  for (let tries = 0; tries < 64 && (fd === -failure.EAGAIN || fd === -failure.EINTR); tries++) {
    fd = systemCall(call.openat2, dir, addressOf(bytes), addressOf(how), how.byteLength);
  }
  return fd;
}

export function list(dir: number): string[] {
  must("lseek", "", systemCall(call.lseek, dir, 0, 0));
  const names: string[] = [];
  for (;;) {
    const bytes = written((address, size) => systemCall(call.getdents64, dir, address, size));
    if (typeof bytes === "number") throw new TreeError("getdents64", "", -bytes);
    if (bytes.length === 0) return names.length > 1 ? names.sort(byBytes) : names;
    // struct linux_dirent64: inode (8), offset (8), record length (2), type (1), name with its NUL.
    for (let start = 0; start < bytes.length; start += (bytes[start + 16] ?? 0) + 256 * (bytes[start + 17] ?? 0)) {
      const name = byteString(bytes.subarray(start + 19, bytes.indexOf(0, start + 19)));
      if (name !== "." && name !== "..") names.push(name);
    }
  }
}

/** Byte strings compare like their bytes. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const record = new Uint32Array(statRecordBytes / 4);

export function stat(dir: number, name: string): EntryStat | undefined {
  const bytes = name === "" ? nameBytes("") : entryBytes(name);
  const flags = at.noFollow | (name === "" ? at.emptyPath : 0);
  const result = systemCall(call.statx, dir, addressOf(bytes), flags, statMask, addressOf(record));
  if (result === -failure.ENOENT || result === -failure.ENOTDIR) return undefined;
  must("statx", name, result);
  return decodeStat(record);
}

export function ownership(fd: number): Pick<EntryStat, "mode" | "uid" | "gid"> {
  // struct statx: uid, gid and mode at bytes 20, 24 and 28; both machines are little-endian.
  const words = new Uint32Array(statRecordBytes / 4);
  const result = systemCall(call.statx, fd, addressOf(nameBytes("")), at.emptyPath, statMask, addressOf(words));
  must("statx", "", result);
  return { mode: (words[7] ?? 0) & 0o7777, uid: words[5] ?? 0, gid: words[6] ?? 0 };
}

export function readLink(dir: number, name: string): string {
  const bytes = entryBytes(name);
  const value = written((address, size) => systemCall(call.readlinkat, dir, addressOf(bytes), address, size));
  if (typeof value === "number") throw new TreeError("readlink", name, -value);
  return byteString(value);
}

export function openFile(dir: number, name: string): number {
  entryBytes(name);
  const flags = open.read | open.nonBlocking | open.noTerminal;
  const fd = openBelow(dir, name, flags);
  return must("open", name, fd === -failure.EACCES ? openUnreadable(dir, name, flags) : fd);
}

/** A file whose owner took the right to read from himself: given for the moment, and taken again. */
function openUnreadable(dir: number, name: string, flags: number): number {
  const before = stat(dir, name);
  if (before?.type !== "file" || chmodEntry(dir, name, before.mode | 0o400) < 0) return -failure.EACCES;
  const fd = openBelow(dir, name, flags);
  chmodEntry(dir, name, before.mode);
  return fd;
}

/** chmod(2) of exactly this entry, by descriptor; `-errno`. */
export function chmodEntry(dir: number, name: string, mode: number): number {
  const fd = openBelow(dir, name, open.path);
  if (fd < 0) return fd;
  const self = nameBytes(`/proc/self/fd/${fd}`);
  const result = systemCall(call.fchmodat, at.current, addressOf(self), mode);
  closeFd(fd);
  return result;
}

export function readAt(fd: number, buffer: Uint8Array, offset: number): number {
  if (buffer.length === 0) return 0;
  for (;;) {
    const length = systemCall(call.pread64, fd, addressOf(buffer), buffer.length, offset);
    if (length !== -failure.EINTR) return must("read", "", length);
  }
}

/** Through the directory's descriptor in /proc; the entry itself is not followed. */
function attributePath(dir: number, name: string): Uint8Array {
  return nameBytes(name === "" ? `/proc/self/fd/${dir}/.` : `/proc/self/fd/${dir}/${name}`);
}

export function hasAttribute(fd: number, key: string): boolean {
  const result = systemCall(call.fgetxattr, fd, addressOf(nameBytes(key)), 0, 0);
  if (result === -failure.ENODATA || result === -failure.EOPNOTSUPP) return false;
  return must("getxattr", key, result) >= 0;
}

export function attributes(dir: number, name: string, wanted: (key: string) => boolean): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const path = attributePath(dir, name);
  const names = written((address, size) => systemCall(call.llistxattr, addressOf(path), address, size));
  if (typeof names === "number") {
    if (names === -failure.EOPNOTSUPP || names === -failure.ENOENT) return found;
    throw new TreeError("listxattr", name, -names);
  }
  for (const key of byteString(names).split("\0")) {
    if (key === "" || !wanted(key)) continue;
    const keyBytes = nameBytes(key);
    const value = written((address, size) =>
      systemCall(call.lgetxattr, addressOf(path), addressOf(keyBytes), address, size),
    );
    if (typeof value !== "number") found.set(key, new Uint8Array(value));
  }
  return found;
}
