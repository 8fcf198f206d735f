import type { Arch } from "./profile.ts";
import { syscallTable } from "./syscalls.ts";

/** Which argument of a system call, counted from 0, is a path worth naming when the call is denied. */
const pathArgument: Readonly<Record<string, number>> = {
  acct: 0,
  chmod: 0,
  chroot: 0,
  creat: 0,
  fchmodat: 1,
  fchmodat2: 1,
  mkdir: 0,
  mkdirat: 1,
  mknod: 0,
  mknodat: 1,
  mount: 1,
  mount_setattr: 1,
  move_mount: 3,
  name_to_handle_at: 1,
  open: 0,
  open_tree: 1,
  openat: 1,
  openat2: 1,
  pivot_root: 0,
  quotactl: 1,
  swapoff: 0,
  swapon: 0,
  umount2: 0,
  uselib: 0,
};

/** The table as the launcher takes it: pairs of u32, the number of the call and its argument. */
export function pathArguments(arch: Arch): Uint8Array {
  const { numbers } = syscallTable(arch);
  const pairs = Object.entries(pathArgument).flatMap(([name, argument]) => {
    const number = numbers.get(name);
    return number === undefined ? [] : [number, argument];
  });
  return new Uint8Array(Uint32Array.from(pairs).buffer);
}
