/** Errno names by number, errno(3), x86-64 and aarch64; those that setting up a zone can meet. */
const names = (): Readonly<Record<number, string>> => ({
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  5: "EIO",
  6: "ENXIO",
  7: "E2BIG",
  8: "ENOEXEC",
  9: "EBADF",
  10: "ECHILD",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  15: "ENOTBLK",
  16: "EBUSY",
  17: "EEXIST",
  18: "EXDEV",
  19: "ENODEV",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  25: "ENOTTY",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  29: "ESPIPE",
  30: "EROFS",
  31: "EMLINK",
  32: "EPIPE",
  36: "ENAMETOOLONG",
  38: "ENOSYS",
  39: "ENOTEMPTY",
  40: "ELOOP",
  61: "ENODATA",
  71: "EPROTO",
  75: "EOVERFLOW",
  87: "EUSERS",
  88: "ENOTSOCK",
  95: "EOPNOTSUPP",
  98: "EADDRINUSE",
  101: "ENETUNREACH",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  122: "EDQUOT",
});

/** The name of an errno, `errno 123` for one not in the table. */
export function errnoName(number: number): string {
  return names()[number] ?? `errno ${number}`;
}

/** What the common ones mean, as strerror(3) says it. */
const words = (): Readonly<Record<number, string>> => ({
  1: "operation not permitted",
  2: "no such file or directory",
  5: "input/output error",
  7: "argument list too long",
  8: "not a program that this machine runs",
  9: "not an open descriptor, or not one for this",
  11: "a limit on how many there may be is reached",
  12: "out of memory",
  13: "permission denied",
  16: "busy",
  17: "already exists",
  20: "not a directory",
  21: "is a directory",
  22: "invalid argument",
  23: "too many open files on the host",
  24: "too many open files",
  26: "busy: it is being written",
  27: "file too large",
  28: "no space left (or a limit on how many is reached)",
  30: "read-only file system",
  32: "nobody reads it any more",
  36: "name too long",
  38: "not in this kernel",
  40: "too many symbolic links, or one where none may be",
  88: "not a socket",
  95: "not supported",
  122: "quota exceeded",
});

/** An errno in words, with its name: `no such file or directory (ENOENT)`. */
export function errnoWords(number: number): string {
  const text = words()[number];
  return text === undefined ? errnoName(number) : `${text} (${errnoName(number)})`;
}
