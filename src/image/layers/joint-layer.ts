import type { TreeFs } from "../../run/tree-fs.ts";
import { type DirectoryMeant, meantDirectories } from "../rootfs/implied.ts";
import { takeLock } from "../store/file-lock.ts";
import type { ImageStore } from "../types.ts";
import { readStored, type StoredLayer, treeName } from "./stored-layer.ts";
import { keep, makeFolders, partialSuffix, removeAt, workFolder } from "./unpack-layer.ts";

/**
 * The layer that goes on top of some layers of which one implies directories that another describes: it has nothing but those directories,
 * as they are meant. Made once for each such stack.
 */
export async function makeJoint(store: ImageStore, path: string, layers: readonly StoredLayer[], owners: boolean) {
  const fs = await store.host.trees();
  const work = workFolder(store.root);
  const name = `joint-${path.slice(path.lastIndexOf("/") + 1)}`;
  const lock = await takeLock(store.host, `${work}/${name}`);
  try {
    const there = readStored(path, "joint", store.host);
    if (there !== undefined) return there;
    const partial = `${work}/${name}${partialSuffix}`;
    removeAt(fs, work, `${name}${partialSuffix}`);
    makeFolders([path.slice(0, path.lastIndexOf("/")), partial, `${partial}/${treeName}`]);
    const meant = meantDirectories(fs, layers);
    const root = fs.root(`${partial}/${treeName}`);
    try {
      makeDirectories(fs, root, meant, owners);
    } finally {
      fs.close(root);
    }
    const nothing = { bytes: 0, largestFile: 0, archiveBytes: 0, implied: [], hidesAll: false };
    keep(fs, partial, path, { ...nothing, entries: meant.length });
  } finally {
    lock.remove();
  }
  return readStored(path, "joint", store.host);
}

/** Parents come first; their modes and times last, from the deepest up. */
function makeDirectories(fs: TreeFs, root: number, meant: readonly DirectoryMeant[], owners: boolean): void {
  for (const { path, stat, attributes } of meant) {
    const slash = path.lastIndexOf("/");
    const parent = fs.directory(root, slash < 0 ? "" : path.slice(0, slash));
    fs.makeDirectory(parent, path.slice(slash + 1), 0o700);
    fs.close(parent);
    const fd = fs.directory(root, path);
    if (owners) fs.setOwner(fd, stat.uid, stat.gid);
    for (const [key, value] of attributes) fs.setAttribute(fd, key, value);
    fs.close(fd);
  }
  for (const { path, stat } of meant.toReversed()) {
    const fd = fs.directory(root, path);
    fs.setModifiedTime(fd, stat.mtimeNs);
    fs.setMode(fd, stat.mode);
    fs.close(fd);
  }
}
