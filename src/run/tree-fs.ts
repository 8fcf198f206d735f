/**
 * File trees as the workspace needs them: every path is walked from a directory's descriptor, never through a symlink, and
 * never out of it. A backend implements this; src/workspace reads layers and writes to the host's repository through it alone.
 *
 * Names and paths are byte strings: each character stands for one byte (0 to 255), so that names that are no UTF-8 survive.
 */

export type EntryType = "file" | "directory" | "symlink" | "whiteout" | "device" | "fifo" | "socket";

/** What statx(2) says of an entry; a symlink is not followed. */
export interface EntryStat {
  readonly type: EntryType;
  /** Permission and set-id bits: `0o7777` at most. */
  readonly mode: number;
  readonly size: number;
  /** Names of the inode, in all directories. */
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** Names the inode on this host: device and number. */
  readonly inode: string;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

const treeErrorName = "TreeError";

/** A failed system call: which step, on what, and the errno. */
export class TreeError extends Error {
  override readonly name = treeErrorName;
  readonly errno: number;
  readonly step: string;
  readonly path: string;

  constructor(step: string, path: string, errno: number) {
    super(`${step} ${path}: errno ${errno}`);
    this.step = step;
    this.path = path;
    this.errno = errno;
  }

  /** By its name: what is loaded at different times in one run has a copy of this class each (scripts/build/hot-bundle.ts). */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === treeErrorName;
  }
}

/** Every function throws a TreeError, unless it says otherwise. Descriptors are the caller's to close. */
export interface TreeFs {
  /** The host's clock in nanoseconds since the epoch. */
  now(): bigint;
  /** The same in decimal digits. */
  nowDigits(): string;
  /** Where something is mounted below a directory, as the caller sees it, or undefined; both are absolute paths, text. */
  mountBelow(path: string): string | undefined;
  /** Opens a directory by its absolute path (text, symlinks allowed: the user named it). */
  root(path: string): number;
  /** The path of what a descriptor stands for, without symlinks; text. */
  pathOf(fd: number): string;
  close(fd: number): void;

  /** Opens a directory below `dir`: no component may be a symlink or lead out. `path` "" is `dir` itself. */
  directory(dir: number, path: string): number;
  /** Names in a directory, without `.` and `..`, in byte order. */
  list(dir: number): string[];
  /** Undefined where there is nothing of that name. `name` "" is `dir` itself. */
  stat(dir: number, name: string): EntryStat | undefined;
  /** Whose an open file or directory is, and its permission bits: the part of `stat` that making a layer needs. */
  ownership(fd: number): Pick<EntryStat, "mode" | "uid" | "gid">;
  readLink(dir: number, name: string): string;
  /** Opens a regular file for reading. One that its owner may not read is made readable for the moment of opening. */
  openFile(dir: number, name: string): number;
  /** Reads at an offset into the buffer's start; 0 at the end. */
  readAt(fd: number, buffer: Uint8Array, offset: number): number;
  /** The wanted extended attributes of an entry, by key; empty where the file system has none. */
  attributes(dir: number, name: string, wanted: (key: string) => boolean): Map<string, Uint8Array>;

  /** Whether an open file or directory has an extended attribute of this name. */
  hasAttribute(fd: number, key: string): boolean;

  makeDirectory(dir: number, name: string, mode: number): void;
  /** Creates a new file, mode 0600, for writing; an existing one of that name is an error. */
  createFile(dir: number, name: string): number;
  write(fd: number, bytes: Uint8Array): void;
  /** Copies all content: by reflink, else the data between holes. Tells which. */
  copyContent(from: number, to: number): "reflink" | "copy";
  /** Gives a file, not a symlink's target, one name more. */
  link(fromDir: number, from: string, toDir: number, to: string): void;
  makeSymlink(dir: number, name: string, value: string): void;
  /** A character device 0:0: what overlayfs takes for a deletion. */
  makeWhiteout(dir: number, name: string): void;
  setMode(fd: number, mode: number): void;
  /** The same for an entry that can't be opened; a symlink is an error. */
  setEntryMode(dir: number, name: string, mode: number): void;
  setModifiedTime(fd: number, mtimeNs: bigint): void;
  setOwner(fd: number, uid: number, gid: number): void;
  setAttribute(fd: number, key: string, value: Uint8Array): void;
  removeAttribute(fd: number, key: string): void;
  rename(fromDir: number, from: string, toDir: number, to: string): void;
  unlink(dir: number, name: string): void;
  /** Removes an empty directory. */
  removeDirectory(dir: number, name: string): void;
  sync(fd: number): void;
  /** Writes out the whole file system that a descriptor lies on. */
  syncFileSystem(fd: number): void;
  /** Takes the lock of an open directory without waiting; false where another process holds it. It ends with the descriptor. */
  lock(fd: number): boolean;
  /** The same for a lock that many may hold, while nobody holds the other kind. */
  share(fd: number): boolean;
}

/** What making a task's directory needs of a tree: with a workspace, no more of it is loaded before the zone is started. */
export type TaskFs = Pick<
  TreeFs,
  | "close"
  | "createFile"
  | "directory"
  | "hasAttribute"
  | "lock"
  | "makeDirectory"
  | "mountBelow"
  | "nowDigits"
  | "ownership"
  | "pathOf"
  | "rename"
  | "root"
  | "setMode"
  | "setOwner"
  | "write"
>;
