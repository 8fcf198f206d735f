import type { TreeFs } from "../run/tree-fs.ts";

/**
 * Whether something below a directory has another owner: what a task with subordinate ids of the user's leaves when its run is killed. A
 * directory of the user's own that may not be looked into hides what is in it.
 */
export function hasForeign(fs: TreeFs, root: number, uid: number): boolean {
  const paths = [""];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const dir = fs.directory(root, path);
    try {
      for (const name of fs.list(dir)) {
        const stat = fs.stat(dir, name);
        if (stat === undefined) continue;
        if (stat.uid !== uid) return true;
        if (stat.type !== "directory" || (stat.mode & lookInto) !== lookInto) continue;
        const below = path === "" ? name : `${path}/${name}`;
        if (below.length <= longPath) paths.push(below);
        else if (hasForeignIn(fs, dir, name, uid)) return true;
      }
    } finally {
      fs.close(dir);
    }
  }
  return false;
}

/** What lies too deep to be named from the root is looked at from where it is. */
function hasForeignIn(fs: TreeFs, dir: number, name: string, uid: number): boolean {
  const fd = fs.directory(dir, name);
  try {
    return hasForeign(fs, fd, uid);
  } finally {
    fs.close(fd);
  }
}

const lookInto = 0o500;
/** The kernel takes paths of up to 4096 bytes. */
const longPath = 3000;
