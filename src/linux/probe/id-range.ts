import { hostIds } from "../../run/plan/sections/identity.ts";
import { addressOf, systemCall } from "../ffi.ts";
import { readSmallFile } from "../small-file.ts";
import { call } from "../system-calls.ts";

/**
 * Whether the ids that root's zones get exist here. In a user namespace of somebody's (a rootless container) root has every
 * capability and still only the ids that were mapped for it: there a zone is made as for any other user.
 */
export function hasHostIds(): boolean {
  if (isInitialNamespace()) return true;
  return ["/proc/self/uid_map", "/proc/self/gid_map"].every((path) => coversHostIds(readSmallFile(path, 4096) ?? ""));
}

/** The inode of the user namespace that a kernel has booted with, by which it is known everywhere: USER_NS_INIT_INO of linux/nsfs.h. */
const initialInode = 0xef_ff_ff_fd;
const AT_FDCWD = -100;
const STATX_INO = 0x100;

/** One question to the kernel in the place of two files to read; a /proc without the answer is no reason to stop. */
function isInitialNamespace(): boolean {
  return userNamespace() === initialInode;
}

/** The inode of this process's user namespace, 0 where /proc does not tell. */
export function userNamespace(): number {
  const path = new TextEncoder().encode("/proc/self/ns/user\0");
  const statx = new Uint32Array(64);
  if (systemCall(call.statx, AT_FDCWD, addressOf(path), 0, STATX_INO, addressOf(statx)) < 0) return 0;
  // stx_ino, 64 bits.
  return (statx[9] ?? 0) * 2 ** 32 + (statx[8] ?? 0);
}

/** What the kernel writes for the user namespace that it has booted with: all ids, each as itself. */
const initialMap = "         0          0 4294967295\n";

/** Lines of `inside outside count`, user_namespaces(7); ours must lie in one of them. */
export function coversHostIds(map: string): boolean {
  if (map === initialMap) return true;
  return map.split("\n").some((line) => {
    // Without a regular expression: compiling one takes longer than the rest of this file.
    const columns = line.split(" ").filter((column) => column !== "");
    const [inside = 0, , count = 0] = columns.map(Number);
    return inside <= hostIds.first && hostIds.end <= inside + count;
  });
}
