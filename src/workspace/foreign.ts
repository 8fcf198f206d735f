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
        if (stat.type === "directory" && (stat.mode & lookInto) === lookInto)
          paths.push(path === "" ? name : `${path}/${name}`);
      }
    } finally {
      fs.close(dir);
    }
  }
  return false;
}

const lookInto = 0o500;
