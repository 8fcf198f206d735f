import launcherText from "../../build/launcher.b64.txt" with { type: "text" };
import { errnoWords } from "../run/report/errno.ts";
import {
  canAccess,
  closeFd,
  createMemfd,
  duplicateFd,
  errno,
  flag,
  openFile,
  sealMemfd,
  unlinkFile,
  writeAll,
} from "./ffi.ts";

/**
 * The native launcher, embedded in this executable, as a descriptor that can be executed through /proc/self/fd. Nothing is
 * extracted: it lives in a sealed memfd. Where `vm.memfd_noexec` forbids that, an unlinked file takes its place.
 */

/** An executable image: execute `path`, then close `fd`. */
export interface LauncherImage {
  readonly fd: number;
  readonly path: string;
}

const EMFILE = 24;
const EFBIG = 27;
/** Descriptors below this belong to the launcher's own table. */
const lowestFd = 64;
/** The kernel's __O_TMPFILE with O_DIRECTORY, whose bit differs: asm-generic's on x86-64, arm64's own. */
const O_TMPFILE = 0o20000000 | (process.arch === "arm64" ? 0o40000 : 0o200000);

/** The image in a sealed memfd; `-errno` where the kernel forbids it. */
export function memfdImage(name = "rauha-launcher", text = launcherText): LauncherImage | number {
  const flags = flag.MFD_CLOEXEC | flag.MFD_ALLOW_SEALING;
  // MFD_EXEC says what is meant where vm.memfd_noexec is 1; kernels before 6.3 don't know it.
  let fd = createMemfd(name, flags | flag.MFD_EXEC);
  if (fd === -errno.EINVAL) fd = createMemfd(name, flags);
  if (fd < 0) return fd;
  const high = duplicateFd(fd, lowestFd);
  closeFd(fd);
  if (high < 0) return high;
  const failure = fill(high, text) || sealMemfd(high);
  if (failure < 0) {
    closeFd(high);
    return failure;
  }
  return { fd: high, path: `/proc/self/fd/${high}` };
}

/**
 * The image as a file that has no name: made in the first of these directories that takes it, written, and opened again
 * read-only, since a file that is open for writing can't be executed (ETXTBSY).
 */
export function fileImage(directories: readonly string[], text = launcherText): LauncherImage | number {
  let failure: number = -errno.ENOENT;
  for (const directory of directories) {
    const image = fileImageIn(directory, text);
    if (typeof image !== "number") return image;
    failure = image;
  }
  return failure;
}

function fileImageIn(directory: string, text: string): LauncherImage | number {
  let writer = openFile(directory, O_TMPFILE | flag.O_RDWR, 0o700);
  let path = `/proc/self/fd/${writer}`;
  let named: string | undefined;
  if (writer === -errno.EOPNOTSUPP) {
    named = `${directory}/.rauha-launcher-${process.pid}`;
    writer = openFile(named, flag.O_RDWR | flag.O_CREAT | 0o200, 0o700);
    path = named;
  }
  if (writer < 0) return writer;
  const failure = fill(writer, text);
  const reader = failure < 0 ? failure : openFile(path, flag.O_RDONLY);
  if (named !== undefined) unlinkFile(named);
  closeFd(writer);
  if (reader < 0) return reader;
  // A file system that is mounted noexec takes the file, and refuses only to run it.
  const high = canAccess(`/proc/self/fd/${reader}`, flag.X_OK) ? duplicateFd(reader, lowestFd) : -errno.EACCES;
  closeFd(reader);
  return high < 0 ? high : { fd: high, path: `/proc/self/fd/${high}` };
}

function fill(fd: number, text: string): number {
  // Not Buffer.from: the first use of Buffer loads more than it decodes.
  const written = writeAll(fd, Uint8Array.fromBase64(text));
  return Math.min(0, written);
}

/** Where an unlinked copy of a program may go when memfds can't be executed. */
function imageDirectories(): string[] {
  const own = process.env["XDG_RUNTIME_DIR"];
  return [...(own === undefined ? [] : [own]), "/dev/shm", "/tmp", "/var/tmp"];
}

/** The launcher, or another program that is embedded as base64 text, ready to be executed; or why not. */
export function openImage(name?: string, text?: string): LauncherImage | string {
  const memfd = memfdImage(name, text);
  if (typeof memfd !== "number") return memfd;
  const file = fileImage(imageDirectories(), text);
  if (typeof file !== "number") return file;
  const why = [`a memfd: ${errnoWords(-memfd)}`, `a file: ${errnoWords(-file)}`].join("; ");
  return `there is no place to run the launcher from: ${why}${cause(-memfd, -file)}`;
}

/** What the caller's own limits have to do with it. */
function cause(failure: number, file: number): string {
  // fcntl(2) says EINVAL where the lowest descriptor asked for is over the limit.
  if (failure === errno.EINVAL || failure === EMFILE)
    return "; is the limit of open files too low? (`ulimit -n`: 128 will do)";
  if (failure === errno.EACCES && file === errno.EACCES) {
    return `; vm.memfd_noexec forbids the one, and ${imageDirectories().join(", ")} can't be written or are mounted noexec: set XDG_RUNTIME_DIR to a directory of yours that programs run in`;
  }
  return failure === EFBIG ? "; the limit of file sizes is too low (`ulimit -f`)" : "";
}
