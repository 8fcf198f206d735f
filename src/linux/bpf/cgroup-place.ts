import { levels as levelLimit } from "../../bpf/contract.ts";
import { addressOf, canAccess, closeFd, flag, openFile, systemCall } from "../ffi.ts";
import { readSmallFile } from "../small-file.ts";
import { at, call, failure, open } from "../system-calls.ts";

/** Where zones' cgroups lie, and what the kernel knows them by. */

const encoder = new TextEncoder();
const STATX_INO = 0x100;
const inodeOffset = 32;
/** Inode number of the first cgroup namespace: the host's. */
const hostNamespace = "cgroup:[4026531835]";
/** Type of a file handle of kernfs: the number of the node. */
const FILEID_KERNFS = 0xfe;

/** Where the unified hierarchy is mounted. */
export function unifiedMount(): string {
  const pure = "/sys/fs/cgroup";
  return canAccess(`${pure}/cgroup.controllers`, flag.R_OK) ? pure : `${pure}/unified`;
}

/** Makes the directory; its inode number, which is the cgroup's id, or `-errno`. */
export function makeCgroup(path: string): bigint | number {
  const made = systemCall(call.mkdirat, at.current, addressOf(encoder.encode(`${path}\0`)), 0o755);
  return made < 0 ? made : inodeOf(path);
}

/** 0, or `-errno`. */
export function removeCgroup(path: string): number {
  return systemCall(call.unlinkat, at.current, addressOf(encoder.encode(`${path}\0`)), at.removeDirectory);
}

function inodeOf(path: string): bigint | number {
  const out = new Uint8Array(256);
  const name = encoder.encode(`${path}\0`);
  const failed = systemCall(call.statx, at.current, addressOf(name), at.noFollow, STATX_INO, addressOf(out));
  return failed < 0 ? failed : new DataView(out.buffer).getBigUint64(inodeOffset, true);
}

/**
 * Levels of the cgroup tree that a directory may be at. In a cgroup namespace the mount's root lies at a depth that nobody tells: then any
 * from the depth below the mount on. Empty: deeper than the programs look.
 */
export function levelsOf(path: string, mount: string): readonly number[] {
  const depth = path.slice(mount.length).split("/").length - 1;
  if (depth >= levelLimit) return [];
  if (isHostNamespace()) return [depth];
  return Array.from({ length: levelLimit - depth }, (_, index) => depth + index);
}

function isHostNamespace(): boolean {
  return linkOf("/proc/self/ns/cgroup") === hostNamespace;
}

/** Where a link leads, as text. */
function linkOf(path: string): string | undefined {
  const buffer = new Uint8Array(4096);
  const name = encoder.encode(`${path}\0`);
  const length = systemCall(call.readlinkat, at.current, addressOf(name), addressOf(buffer), buffer.length);
  return length > 0 ? new TextDecoder().decode(buffer.subarray(0, length)) : undefined;
}

/** Asks for cgroups by their ids. */
export interface CgroupLookup {
  /** Whether the cgroup is there; also when the kernel does not say. */
  exists(id: bigint): boolean;
  /** Whether any process lives in it or below it; also when the kernel does not say. */
  isPopulated(id: bigint): boolean;
  /** Removes the cgroup if nobody lives in it; whether that worked. */
  remove(id: bigint): boolean;
  close(): void;
}

/** Finds cgroups by their ids, open_by_handle_at(2), below a mount of the unified hierarchy. */
export function cgroupLookup(mount: string): CgroupLookup {
  const fd = openFile(mount, open.directory | flag.O_RDONLY);
  /** The cgroup's directory, or `-errno`. */
  const find = (id: bigint): number => {
    // struct file_handle: u32 bytes, i32 type, and the bytes.
    const handle = new Uint8Array(16);
    const view = new DataView(handle.buffer);
    view.setUint32(0, 8, true);
    view.setInt32(4, FILEID_KERNFS, true);
    view.setBigUint64(8, id, true);
    return systemCall(call.open_by_handle_at, fd, addressOf(handle), open.path | open.closeOnExec);
  };
  return {
    exists(id) {
      const found = find(id);
      if (found >= 0) closeFd(found);
      return found !== -failure.ESTALE && found !== -failure.ENOENT;
    },
    isPopulated(id) {
      const found = find(id);
      if (found < 0) return found !== -failure.ESTALE && found !== -failure.ENOENT;
      const events = readSmallFile(`/proc/self/fd/${found}/cgroup.events`, 256);
      closeFd(found);
      return events === undefined || events.includes("populated 1");
    },
    remove(id) {
      const found = find(id);
      if (found < 0) return false;
      const path = linkOf(`/proc/self/fd/${found}`);
      closeFd(found);
      return path !== undefined && removeCgroup(path) >= 0;
    },
    close: () => {
      if (fd >= 0) closeFd(fd);
    },
  };
}
