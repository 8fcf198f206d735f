import { errnoName } from "../../run/report/errno.ts";
import { addressOf, closeFd, errno, openFile, systemCall } from "../ffi.ts";
import { at, call, failure, open, resolve } from "../system-calls.ts";
import { folderOfZones, runtimeDirectory } from "./place.ts";

/** The directory of zones' records: this user's own, in a runtime directory that does not outlive the kernel, or the user's last session. */
export interface ZoneDirectory {
  readonly fd: number;
  readonly path: string;
}

const encoder = new TextEncoder();
const EEXIST = 17;
const STATX_TYPE_MODE_UID_INO = 0x1 | 0x2 | 0x8 | 0x100;
const othersBits = 0o077;
const folder = "rauha";

/**
 * Opens the directory, and makes it with `make`. Whatever is not the caller's own directory, closed to everybody else, is left alone: records
 * that somebody else can write say nothing.
 */
export function openZoneDirectory(make: boolean): ZoneDirectory | { readonly problem: string } {
  const base = runtimeDirectory();
  if (!base.startsWith("/")) return { problem: "XDG_RUNTIME_DIR names no runtime directory" };
  const runtime = openFile(base, open.path | open.directory);
  if (runtime < 0) return { problem: `${base}: ${errnoName(-runtime)}` };
  const path = `${base}/${folderOfZones}`;
  let fd = openBelow(runtime, folderOfZones);
  if (fd === -errno.ENOENT && make) {
    const failed = makeBelow(runtime, folder) || makeBelow(runtime, folderOfZones);
    fd = failed < 0 ? failed : openBelow(runtime, folderOfZones);
  }
  closeFd(runtime);
  if (fd < 0) return { problem: `${path}: ${errnoName(-fd)}` };
  const stat = statOf(fd, "");
  if (stat !== undefined && stat.uid === (process.geteuid?.() ?? 0) && (stat.mode & othersBits) === 0)
    return { fd, path };
  closeFd(fd);
  return { problem: `${path} is not this user's alone: it takes an own directory of mode 0700` };
}

/** A directory below, by no symbolic link; a descriptor, or `-errno`. */
function openBelow(directory: number, path: string): number {
  const name = encoder.encode(`${path}\0`);
  // struct open_how: flags, mode, resolve, 64 bits each.
  const how = new Uint32Array(6);
  how[0] = open.directory | open.closeOnExec;
  how[4] = resolve.beneath | resolve.noSymlinks | resolve.noMagicLinks;
  return systemCall(call.openat2, directory, addressOf(name), addressOf(how), how.byteLength);
}

/** 0, also when something of the name is there; or `-errno`. */
function makeBelow(directory: number, path: string): number {
  const made = systemCall(call.mkdirat, directory, addressOf(encoder.encode(`${path}\0`)), 0o700);
  return made === -EEXIST ? 0 : made;
}

/** What there is of this name, "" for the descriptor itself; symbolic links are not followed. */
export function statOf(
  directory: number,
  name: string,
): { readonly uid: number; readonly mode: number; readonly inode: bigint } | undefined {
  const out = new Uint8Array(256);
  const flags = at.noFollow | at.emptyPath;
  const bytes = encoder.encode(`${name}\0`);
  const failed = systemCall(call.statx, directory, addressOf(bytes), flags, STATX_TYPE_MODE_UID_INO, addressOf(out));
  if (failed < 0) return undefined;
  const view = new DataView(out.buffer);
  return { uid: view.getUint32(20, true), mode: view.getUint16(28, true), inode: view.getBigUint64(32, true) };
}

/** Opens an entry for reading, whatever it is, without waiting and without following a link; a descriptor, or `-errno`. */
export function openEntry(directory: number, name: string): number {
  const flags = open.read | open.noFollow | open.nonBlocking | open.closeOnExec;
  return systemCall(call.openat, directory, addressOf(encoder.encode(`${name}\0`)), flags);
}

export function unlinkEntry(directory: number, name: string): number {
  return systemCall(call.unlinkat, directory, addressOf(encoder.encode(`${name}\0`)), 0);
}

const lock = { shared: 1, exclusive: 2, withoutWaiting: 4 } as const;

/** Locks a record as its zone's owner does, for as long as the descriptor is open; false where somebody has it. */
export function lockFile(fd: number): boolean {
  return systemCall(call.flock, fd, lock.exclusive | lock.withoutWaiting) >= 0;
}

/** Whether the owner of a record lives: the lock is gone when the process is, however it ended. */
export function isOwned(fd: number): boolean {
  return systemCall(call.flock, fd, lock.shared | lock.withoutWaiting) === -failure.EAGAIN;
}
