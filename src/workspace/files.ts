import { type TaskFs, TreeError, type TreeFs } from "../run/tree-fs.ts";
import { fromText } from "./bytes.ts";

/** Small files and directories of Rauha's own state, in a tree. */

const EEXIST = 17;
const ENOENT = 2;

/** All of a file; undefined where there is none. More than `limit` bytes are an error. */
export function readWhole(fs: TreeFs, dir: number, name: string, limit = 64 << 20): Uint8Array | undefined {
  const stat = fs.stat(dir, name);
  if (stat?.type !== "file") return undefined;
  if (stat.size > limit) throw new TreeError("read", name, 27);
  const fd = fs.openFile(dir, name);
  try {
    const bytes = new Uint8Array(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const n = fs.readAt(fd, bytes.subarray(length), length);
      if (n === 0) break;
      length += n;
    }
    return bytes.subarray(0, length);
  } finally {
    fs.close(fd);
  }
}

/** Replaces a file as a whole: whoever looks sees the old one or the new one. */
export function replaceFile(fs: TreeFs, dir: number, name: string, bytes: Uint8Array): void {
  const temporary = `.${name}.new`;
  writeFile(fs, dir, temporary, bytes);
  fs.rename(dir, temporary, dir, name);
}

/** A new file; one of that name makes way. */
export function writeFile(fs: TreeFs, dir: number, name: string, bytes: Uint8Array): void {
  const fd = createAnew(fs, dir, name);
  try {
    fs.write(fd, bytes);
  } finally {
    fs.close(fd);
  }
}

/** A file that one who was killed left behind makes way. */
function createAnew(fs: TreeFs, dir: number, name: string): number {
  try {
    return fs.createFile(dir, name);
  } catch (error) {
    if (!(error instanceof TreeError) || error.errno !== EEXIST) throw error;
    fs.unlink(dir, name);
    return fs.createFile(dir, name);
  }
}

/** Opens a directory by its absolute path, making what is missing of it, mode 0700. */
export function openMade(fs: TaskFs, path: string): number {
  try {
    return fs.root(path);
  } catch (error) {
    if (!(error instanceof TreeError) || error.errno !== ENOENT || path === "/") throw error;
  }
  const slash = path.lastIndexOf("/");
  const parent = openMade(fs, path.slice(0, slash) || "/");
  try {
    fs.makeDirectory(parent, fromText(path.slice(slash + 1)), 0o700);
  } catch (error) {
    // Another invocation was faster.
    if (!(error instanceof TreeError) || error.errno !== EEXIST) throw error;
  } finally {
    fs.close(parent);
  }
  return fs.root(path);
}
