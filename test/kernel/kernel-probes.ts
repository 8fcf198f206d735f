/** System calls that no tool of the guest makes, asked of libc directly. */
import { dlopen, FFIType, ptr, read } from "bun:ffi";
import { closeSync, openSync, readlinkSync, writeFileSync } from "node:fs";

const { i64 } = FFIType;
const libc = dlopen("libc.so.6", {
  syscall: { args: [i64, i64, i64, i64, i64, i64], returns: i64 },
  __errno_location: { args: [], returns: FFIType.ptr },
}).symbols;

// The numbers are the same on every architecture that has these calls.
const OPEN_TREE = 428;
const MOUNT_SETATTR = 442;
const LANDLOCK_CREATE_RULESET = 444;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const O_CLOEXEC = 0x80000;
const MOUNT_ATTR_IDMAP = 0x100000n;
const LANDLOCK_CREATE_RULESET_VERSION = 1;
const ERRNO: Readonly<Record<number, string>> = { 1: "EPERM", 22: "EINVAL", 38: "ENOSYS", 95: "EOPNOTSUPP" };

interface Outcome {
  readonly value: number;
  /** The error's name, or its number where no test expects it. */
  readonly errno: string | null;
}

function systemCall(number: number, ...args: readonly (number | Uint8Array)[]): Outcome {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = args.map((arg) => (typeof arg === "number" ? arg : ptr(arg)));
  const value = Number(libc.syscall(number, a, b, c, d, e));
  const location = libc.__errno_location();
  if (value !== -1 || location === null) return { value, errno: null };
  const code = read.i32(location);
  return { value, errno: ERRNO[code] ?? String(code) };
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`);

/** The version of Landlock that the kernel offers; -1 without Landlock. */
export function landlockAbi(): number {
  return systemCall(LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_CREATE_RULESET_VERSION).value;
}

/**
 * Clones the mount at `folder` with its ids shifted up by `shift`, and calls `look` with a path into the clone. Nothing is mounted
 * anywhere: the clone is reached through its descriptor and ends with it.
 */
export function idmappedMount<T>(
  folder: string,
  shift: number,
  look: (path: string) => T,
): { readonly errno: string | null; readonly value: T | null } {
  const userns = openUserNamespace(shift);
  const tree = systemCall(OPEN_TREE, AT_FDCWD, text(folder), OPEN_TREE_CLONE | O_CLOEXEC);
  try {
    if (tree.errno !== null) return { errno: tree.errno, value: null };
    const attributes = new BigUint64Array([MOUNT_ATTR_IDMAP, 0n, 0n, BigInt(userns)]);
    const bytes = new Uint8Array(attributes.buffer);
    const { errno } = systemCall(MOUNT_SETATTR, tree.value, text(""), AT_EMPTY_PATH, bytes, bytes.length);
    return errno === null ? { errno, value: look(`/proc/${process.pid}/fd/${tree.value}`) } : { errno, value: null };
  } finally {
    if (tree.errno === null) closeSync(tree.value);
    closeSync(userns);
  }
}

/** A descriptor of a user namespace that maps its ids from 0 on to those from `shift` on. */
function openUserNamespace(shift: number): number {
  const holder = Bun.spawn(["unshare", "--user", "sleep", "60"], { stdin: "ignore" });
  const namespace = `/proc/${holder.pid}/ns/user`;
  try {
    while (readlinkSync(namespace) === readlinkSync("/proc/self/ns/user")) Bun.sleepSync(5);
    for (const file of ["uid_map", "gid_map"]) writeFileSync(`/proc/${holder.pid}/${file}`, `0 ${shift} 65536\n`);
    return openSync(namespace, "r");
  } finally {
    holder.kill("SIGKILL");
  }
}
