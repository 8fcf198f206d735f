import { TreeError, type TreeFs } from "./tree-fs.ts";

/** Paths longer than this are shortened before the kernel's limit of 4096 bytes is reached. */
const longPath = 3000;
const ownerAll = 0o700;

/**
 * Removes an entry of a directory and all below it, however deep, whatever modes it has, following nothing. Nothing of that name
 * is no error. Mounts are not crossed: removing a mount point fails.
 */
export function removeTree(fs: TreeFs, dir: number, name: string): void {
  const stat = fs.stat(dir, name);
  if (stat === undefined) return;
  if (stat.type !== "directory") {
    fs.unlink(dir, name);
    return;
  }
  if ((stat.mode & ownerAll) !== ownerAll) fs.setEntryMode(dir, name, ownerAll);
  const root = fs.directory(dir, name);
  try {
    emptyTree(fs, root);
  } finally {
    fs.close(root);
  }
  fs.removeDirectory(dir, name);
}

/** Empties a directory. Directories wait on a stack, each by its path, until what is in them is gone. */
function emptyTree(fs: TreeFs, root: number): void {
  const stack: { readonly path: string; emptied: boolean }[] = [{ path: "", emptied: false }];
  let lifted = 0;
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { path } = top;
    if (top.emptied) {
      stack.pop();
      if (path !== "") removeByPath(fs, root, path);
      continue;
    }
    top.emptied = true;
    const fd = fs.directory(root, path);
    for (const child of removeFiles(fs, fd)) {
      const below = path === "" ? child : `${path}/${child}`;
      if (below.length <= longPath) stack.push({ path: below, emptied: false });
      // Too deep to be named from the root for much longer: it goes on at the top.
      else stack.splice(1, 0, { path: lift(fs, fd, child, root, () => `.deep-${lifted++}`), emptied: false });
    }
    fs.close(fd);
  }
}

/** Moves a directory to the root of its tree, under a name that is free there. */
function lift(fs: TreeFs, dir: number, name: string, root: number, nextName: () => string): string {
  for (;;) {
    const free = nextName();
    try {
      fs.rename(dir, name, root, free);
      return free;
    } catch (error) {
      if (!(error instanceof TreeError) || (error.errno !== EEXIST && error.errno !== ENOTEMPTY)) throw error;
    }
  }
}

const EEXIST = 17;
const ENOTEMPTY = 39;

/** Removes all but directories; the names of those, made accessible. */
function removeFiles(fs: TreeFs, fd: number): string[] {
  const directories: string[] = [];
  for (const name of fs.list(fd)) {
    const stat = fs.stat(fd, name);
    if (stat === undefined) continue;
    if (stat.type !== "directory") {
      fs.unlink(fd, name);
      continue;
    }
    if ((stat.mode & ownerAll) !== ownerAll) fs.setEntryMode(fd, name, ownerAll);
    directories.push(name);
  }
  return directories;
}

function removeByPath(fs: TreeFs, root: number, path: string): void {
  const slash = path.lastIndexOf("/");
  const parent = fs.directory(root, slash < 0 ? "" : path.slice(0, slash));
  try {
    fs.removeDirectory(parent, path.slice(slash + 1));
  } finally {
    fs.close(parent);
  }
}
