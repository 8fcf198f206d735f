import { dlopen, FFIType, type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";

/**
 * The C library, called directly: the only file of the Linux backend that knows bun:ffi. On the hot path this replaces
 * node:fs and Bun.spawn, whose loading alone costs milliseconds (docs/adr). Each function is a thin, typed cover of one call
 * of sections 2 or 3 of the manual: a failure is returned as `-errno`, nothing throws.
 */

/** glibc's name, and musl's on each machine: the executable is built for either. */
const libraryNames = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

function openLibc() {
  let first: unknown;
  for (const name of libraryNames) {
    try {
      return dlopen(name, {
        __errno_location: { args: [], returns: "ptr" },
        open: { args: ["ptr", "i32", "u32"], returns: "i32" },
        close: { args: ["i32"], returns: "i32" },
        read: { args: ["i32", "ptr", "u64"], returns: FFIType.i64_fast },
        write: { args: ["i32", "ptr", "u64"], returns: FFIType.i64_fast },
        access: { args: ["ptr", "i32"], returns: "i32" },
        fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
        isatty: { args: ["i32"], returns: "i32" },
        pipe2: { args: ["ptr", "i32"], returns: "i32" },
        poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
        memfd_create: { args: ["ptr", "u32"], returns: "i32" },
        syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: FFIType.i64_fast },
        getrandom: { args: ["ptr", "u64", "u32"], returns: FFIType.i64_fast },
        rename: { args: ["ptr", "ptr"], returns: "i32" },
        unlink: { args: ["ptr"], returns: "i32" },
        waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
        posix_spawn: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
        posix_spawn_file_actions_init: { args: ["ptr"], returns: "i32" },
        posix_spawn_file_actions_adddup2: { args: ["ptr", "i32", "i32"], returns: "i32" },
        posix_spawn_file_actions_destroy: { args: ["ptr"], returns: "i32" },
      }).symbols;
    } catch (error) {
      first ??= error;
    }
  }
  return unusable(first);
}

/** In the place of a C library that can't be called: a module that throws ends the program with a stack trace, a call with words. */
function unusable(error: unknown): never {
  const call = () => {
    const why =
      "executable memory is needed, which `ulimit -v` below 4 GiB or MemoryDenyWriteExecute of systemd forbid";
    throw new Error(`the C library can't be called: ${error instanceof Error ? error.message : error} (${why})`);
  };
  return new Proxy({}, { get: call }) as never;
}

const libc = openLibc();

/** Flags of open(2), fcntl(2), memfd_create(2), poll(2) that Rauha uses; the same on x86-64 and aarch64. */
export const flag = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_TRUNC: 0o1000,
  O_CLOEXEC: 0o2000000,
  F_DUPFD_CLOEXEC: 1030,
  F_ADD_SEALS: 1033,
  SEAL_ALL: 0xf,
  MFD_CLOEXEC: 1,
  MFD_ALLOW_SEALING: 2,
  MFD_EXEC: 0x10,
  POLLIN: 1,
  POLLHUP: 0x10,
  R_OK: 4,
  W_OK: 2,
  X_OK: 1,
} as const;

/** Error numbers that the code asks for, errno(3). */
export const errno = { ENOENT: 2, EINTR: 4, EACCES: 13, EINVAL: 22, ENOSYS: 38, EOPNOTSUPP: 95 } as const;

const encoder = new TextEncoder();

function cString(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}

function checked(result: number): number {
  if (result >= 0) return result;
  const location = libc.__errno_location();
  return location === null ? -errno.EINVAL : -read.i32(location, 0);
}

/** open(2). `O_CLOEXEC` is always added. */
export function openFile(path: string, flags: number, mode = 0): number {
  return checked(libc.open(ptr(cString(path)), flags | flag.O_CLOEXEC, mode));
}

/** close(2); its errors are nobody's to mend. */
export function closeFd(fd: number): void {
  libc.close(fd);
}

/** read(2) into the buffer's start. */
export function readFd(fd: number, buffer: Uint8Array): number {
  return checked(Number(libc.read(fd, ptr(buffer), buffer.length)));
}

/** write(2) until all is written; the number of bytes, or `-errno` of the first failure that is not an interruption. */
export function writeAll(fd: number, bytes: Uint8Array): number {
  let done = 0;
  while (done < bytes.length) {
    const rest = bytes.subarray(done);
    const n = checked(Number(libc.write(fd, ptr(rest), rest.length)));
    if (n === -errno.EINTR) continue;
    // A pipe whose other side set O_NONBLOCK may be full: wait until it takes more.
    if (n === -11) pollFds([{ fd, events: 4 }], -1);
    else if (n < 0) return n;
    else done += n;
  }
  return done;
}

/** Whether access(2) with the real ids allows it. */
export function canAccess(path: string, mode: number): boolean {
  return libc.access(ptr(cString(path)), mode) === 0;
}

/** isatty(3). */
export function isTerminal(fd: number): boolean {
  return libc.isatty(fd) === 1;
}

/** Duplicates to a descriptor of at least `lowest`, closed on exec. */
export function duplicateFd(fd: number, lowest: number): number {
  return checked(libc.fcntl(fd, flag.F_DUPFD_CLOEXEC, lowest));
}

/** Seals a memfd against any change. */
export function sealMemfd(fd: number): number {
  return checked(libc.fcntl(fd, flag.F_ADD_SEALS, flag.SEAL_ALL));
}

/** memfd_create(2): a descriptor, or `-errno`. */
export function createMemfd(name: string, flags: number): number {
  return checked(libc.memfd_create(ptr(cString(name)), flags));
}

/** pipe2(2) with O_CLOEXEC: both ends, or `-errno`. */
export function createPipe(): { readonly readEnd: number; readonly writeEnd: number } | number {
  const ends = new Int32Array(2);
  const result = checked(libc.pipe2(ptr(ends), flag.O_CLOEXEC));
  return result < 0 ? result : { readEnd: ends[0] ?? -1, writeEnd: ends[1] ?? -1 };
}

/** poll(2): `revents` by position. An interruption or a time-out gives zeros; `timeoutMs` -1 waits for ever. */
export function pollFds(fds: readonly { readonly fd: number; readonly events: number }[], timeoutMs: number): number[] {
  const raw = new Int32Array(fds.length * 2);
  fds.forEach((entry, index) => {
    raw[index * 2] = entry.fd;
    raw[index * 2 + 1] = entry.events;
  });
  if (libc.poll(ptr(raw), fds.length, timeoutMs) <= 0) return fds.map(() => 0);
  return fds.map((_, index) => (raw[index * 2 + 1] ?? 0) >> 16);
}

/** getrandom(2): so many bytes that nobody can foretell. Throws where the kernel has none to give, which is never. */
export function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let done = 0; done < count; ) {
    const n = checked(Number(libc.getrandom(ptr(bytes, done), count - done, 0)));
    if (n < 0 && n !== -errno.EINTR) throw new Error(`getrandom: errno ${-n}`);
    done += Math.max(0, n);
  }
  return bytes;
}

/** rename(2): 0 or `-errno`. */
export function renameFile(from: string, to: string): number {
  return checked(libc.rename(ptr(cString(from)), ptr(cString(to))));
}

/** unlink(2): 0 or `-errno`. */
export function unlinkFile(path: string): number {
  return checked(libc.unlink(ptr(cString(path))));
}

/** A system call by its number, with up to six plain numbers. */
export function systemCall(number: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): number {
  return checked(Number(libc.syscall(number, a, b, c, d, e, f)));
}

/** Where bytes lie, as an argument of `systemCall`. They must not be empty, and be kept until the call has returned. */
export function addressOf(bytes: NodeJS.TypedArray): number {
  return ptr(bytes);
}

/** Eight bytes of this process's memory as a number; there is no memory at an address that nobody gave out. */
export function wordAt(address: number, offset: number): number {
  return read.ptr(address as Pointer, offset);
}

/** A copy of bytes of this process's memory. */
export function bytesAt(address: number, length: number): Uint8Array {
  return length === 0 ? new Uint8Array() : new Uint8Array(toArrayBuffer(address as Pointer, 0, length)).slice();
}

/** Memory of this process, as a system call has mapped it: not to be touched after it is unmapped. */
export function mappedBytes(address: number, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(toArrayBuffer(address as Pointer, 0, size));
}

/** waitpid(2): the raw wait status, or `-errno`. */
export function waitForChild(pid: number): number {
  const status = new Int32Array(1);
  for (;;) {
    const result = checked(libc.waitpid(pid, ptr(status), 0));
    if (result === -errno.EINTR) continue;
    return result < 0 ? result : (status[0] ?? 0);
  }
}

/**
 * posix_spawn(3) of `path` with these arguments, its name first, and an empty environment; `fds[i]` becomes descriptor `i` of the child. Every entry
 * must be above `fds.length`, so that no duplicate overwrites one still to come. The child's pid, or `-errno`.
 */
export function spawnProcess(path: string, args: readonly string[], fds: readonly number[]): number {
  // posix_spawn_file_actions_t is 80 bytes in glibc and musl; room to spare costs nothing.
  const actions = new Uint8Array(256);
  libc.posix_spawn_file_actions_init(ptr(actions));
  fds.forEach((fd, target) => {
    libc.posix_spawn_file_actions_adddup2(ptr(actions), fd, target);
  });
  const strings = args.map(cString);
  const argv = new BigUint64Array([...strings.map((string) => BigInt(ptr(string))), 0n]);
  const envp = new BigUint64Array([0n]);
  const pid = new Int32Array(1);
  const failure = libc.posix_spawn(ptr(pid), ptr(cString(path)), ptr(actions), null, ptr(argv), ptr(envp));
  libc.posix_spawn_file_actions_destroy(ptr(actions));
  return failure === 0 ? (pid[0] ?? -1) : -failure;
}
