import { addressOf, closeFd, flag, openFile, systemCall } from "../ffi.ts";
import { at, call } from "../system-calls.ts";
import { NetworkFailure } from "./failure.ts";

const CLONE_NEWNET = 0x40000000;
const own = "/proc/thread-self/ns/net";

/**
 * The network namespace of a zone, open. It is reached by the id of the zone's init, which can't have become another process's:
 * the launcher has not waited for it.
 */
export function openZoneNamespace(pid: number): number {
  const path = `/proc/${pid}/ns/net`;
  const fd = openFile(path, flag.O_RDONLY);
  if (fd < 0) throw new NetworkFailure("open", -fd, path);
  return fd;
}

/**
 * Does something with this thread in another network namespace: setns(2) of one thread, whatever the runtime's others do meanwhile.
 * A thread that can't come back would go on in the zone's network: then the program ends.
 */
export function inNamespace<T>(fd: number, act: () => T): T {
  const home = openFile(own, flag.O_RDONLY);
  if (home < 0) throw new NetworkFailure("open", -home, own);
  try {
    const entered = systemCall(call.setns, fd, CLONE_NEWNET);
    if (entered < 0) throw new NetworkFailure("setns", -entered, "the zone's network namespace");
    try {
      return act();
    } finally {
      const back = systemCall(call.setns, home, CLONE_NEWNET);
      if (back < 0) process.exit(125);
    }
  } finally {
    closeFd(home);
  }
}

/** Whether a namespace is the one that this thread is in. */
export function isOwnNamespace(fd: number): boolean {
  const other = openFile(own, flag.O_RDONLY);
  if (other < 0) throw new NetworkFailure("open", -other, own);
  try {
    return inodeOf(fd) === inodeOf(other);
  } finally {
    closeFd(other);
  }
}

/** statx(2): the inode, which tells namespaces apart. */
function inodeOf(fd: number): bigint {
  const status = new Uint8Array(256);
  const empty = new Uint8Array(1);
  const result = systemCall(call.statx, fd, addressOf(empty), at.emptyPath, 0x100, addressOf(status));
  if (result < 0) throw new NetworkFailure("statx", -result, "a network namespace");
  return new DataView(status.buffer).getBigUint64(0x20, true);
}
