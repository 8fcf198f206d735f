import type { OutputFile } from "../run/backend.ts";
import { addressOf, closeFd, errno, flag, openFile, randomBytes, systemCall, writeAll } from "./ffi.ts";
import { call, open } from "./system-calls.ts";

/**
 * Files of the caller's that a result goes to when the task has ended. What stands there is decided, and held, before the task
 * starts: a task that may write the directory could otherwise plant a link or a pipe where the result will go, and have it written
 * with the caller's rights. A plain file is replaced whole, by name and in the directory of that time; a link is not followed.
 */

const O_EXCL_CREATE = flag.O_WRONLY | open.create | open.exclusive | open.noFollow | flag.O_CLOEXEC;
/** Where links to devices and to descriptors of the caller's own live: /dev/stdout, /proc/self/fd/3. */
const systemTrees = ["/dev/", "/proc/"];
const ELOOP = 40;
const EISDIR = 21;
const EBADF = 9;
const F_GETFL = 3;
const O_ACCMODE = 3;

/** Opens the place of an output file, or takes a descriptor of the caller's; the errno when nothing can be written there. */
export function openOutput(place: string | number): OutputFile | number {
  return typeof place === "number" ? givenDescriptor(place) : openPath(place);
}

/** A descriptor that the caller left open for writing; the runtime has some of its own, which nobody means. */
function givenDescriptor(fd: number): OutputFile | number {
  const how = systemCall(call.fcntl, fd, F_GETFL);
  if (how < 0 || (how & O_ACCMODE) === flag.O_RDONLY || (how & open.path) !== 0) return EBADF;
  const { readlinkSync } = process.getBuiltinModule("node:fs");
  if (readlinkSync(`/proc/self/fd/${fd}`).startsWith("anon_inode:")) return EBADF;
  return { write: (bytes) => Math.max(0, -writeAll(fd, bytes)), close: () => {} };
}

function openPath(path: string): OutputFile | number {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const directory = openFile(slash <= 0 ? "/" : path.slice(0, slash), open.path | open.directory);
  if (directory < 0) return -directory;
  const special = openSpecial(path, directory, name);
  const refused =
    special === undefined ? systemCall(call.faccessat, directory, addressOf(nameBytes(".")), flag.W_OK) : 0;
  if (special === undefined && refused === 0) return replacedFile(directory, name);
  closeFd(directory);
  if (special === undefined) return -refused;
  return special < 0 ? -special : openedFile(special);
}

/** A descriptor of what is no plain file, `-errno`, or undefined for a plain file and for nothing. */
function openSpecial(path: string, directory: number, name: string): number | undefined {
  const entry = nameBytes(name);
  const there = systemCall(call.openat, directory, addressOf(entry), open.path | open.noFollow | flag.O_CLOEXEC);
  if (there === -errno.ENOENT) return undefined;
  if (there < 0) return there;
  const stat = process.getBuiltinModule("node:fs").fstatSync(there);
  closeFd(there);
  if (stat.isFile()) return undefined;
  if (stat.isDirectory()) return -EISDIR;
  if (stat.isSymbolicLink()) {
    if (!systemTrees.some((tree) => path.startsWith(tree))) return -ELOOP;
    return openFile(path, flag.O_WRONLY);
  }
  return systemCall(call.openat, directory, addressOf(entry), flag.O_WRONLY | open.noFollow | flag.O_CLOEXEC);
}

function openedFile(fd: number): OutputFile {
  return { write: (bytes) => Math.max(0, -writeAll(fd, bytes)), close: () => closeFd(fd) };
}

/** The temporary name is drawn at random: one that could be foretold could be taken. */
function replacedFile(directory: number, name: string): OutputFile {
  return {
    write: (bytes) => {
      const temporary = nameBytes(`.${name}.${randomBytes(8).toHex()}.tmp`);
      const fd = systemCall(call.openat, directory, addressOf(temporary), O_EXCL_CREATE, 0o644);
      if (fd < 0) return -fd;
      const written = Math.min(0, writeAll(fd, bytes));
      closeFd(fd);
      const target = nameBytes(name);
      const rename = () => systemCall(call.renameat2, directory, addressOf(temporary), directory, addressOf(target), 0);
      const result = written < 0 ? written : rename();
      if (result < 0) systemCall(call.unlinkat, directory, addressOf(temporary), 0);
      return -Math.min(0, result);
    },
    close: () => closeFd(directory),
  };
}

function nameBytes(name: string): Uint8Array {
  return new TextEncoder().encode(`${name}\0`);
}
