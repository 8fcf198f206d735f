import type { LayerFs } from "../../image/unpack/layer-fs.ts";

/** No change: chown(2). */
const same = -1;

/** Gives all that is below a directory to one id, groups as they are; follows nothing. How many entries had another owner. */
export function ownTree(fs: LayerFs, root: number, uid: number): number {
  const paths = [""];
  let changed = 0;
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const dir = fs.directory(root, path);
    for (const name of fs.list(dir)) {
      const stat = fs.stat(dir, name);
      if (stat === undefined) continue;
      if (stat.type === "directory") paths.push(path === "" ? name : `${path}/${name}`);
      if (stat.uid === uid) continue;
      fs.setEntryOwner(dir, name, uid, same);
      changed++;
    }
    fs.close(dir);
  }
  return changed;
}
