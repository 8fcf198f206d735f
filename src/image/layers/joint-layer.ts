import type { TreeFs } from "../../run/tree-fs.ts";
import { refuse } from "../image-error.ts";
import { type DirectoryMeant, type ImplyingLayer, meantDirectories } from "../rootfs/implied.ts";
import { takeLock } from "../store/file-lock.ts";
import type { ImageStore } from "../types.ts";
import type { LayerSpace } from "./layer-space.ts";
import { partialSuffix, removeWork, workFolder } from "./remove-work.ts";
import { setAside } from "./set-aside.ts";
import { readStored, type StoredLayer, treeName } from "./stored-layer.ts";
import { keep, makeFolders } from "./unpack-layer.ts";
import type { Join } from "./unpacker.ts";

/** How layers are made one. */
export interface JointOptions {
  readonly space: LayerSpace;
  /** Whether directories keep their owners. */
  readonly owners: boolean;
  /** Makes it where the layers belong to subordinate ids. */
  readonly join: Join;
}

/**
 * The layer that goes on top of some layers of which one implies directories that another describes: it has nothing but those directories,
 * as they are meant. Made once for each such stack.
 */
export async function makeJoint(
  store: ImageStore,
  path: string,
  layers: readonly StoredLayer[],
  { space, owners, join }: JointOptions,
) {
  const fs = await store.host.trees();
  const work = workFolder(space);
  const name = `joint-${path.slice(path.lastIndexOf("/") + 1)}`;
  const lock = await takeLock(store.host, `${work}/${name}`);
  try {
    const there = readStored(path, "joint", store.host);
    if (there !== undefined) return there;
    setAside(path, work, name);
    const partial = `${work}/${name}${partialSuffix}`;
    await removeWork(store, space, fs, `${name}${partialSuffix}`);
    const tree = `${partial}/${treeName}`;
    makeFolders([path.slice(0, path.lastIndexOf("/")), partial, tree]);
    let entries: number;
    if (space.ids === undefined) entries = joinDirectories(fs, layers, tree, owners);
    else {
      const report = await join(layers, tree, space.ids);
      if (!report.ok) refuse("setup_failed", `the image's directories can't be joined: ${report.reason}`);
      entries = report.summary.entries;
    }
    keep(fs, partial, path, { ...noFiles, entries });
  } finally {
    lock.remove();
  }
  return readStored(path, "joint", store.host);
}

/** What a joint has besides its directories. */
export const noFiles = { bytes: 0, largestFile: 0, archiveBytes: 0, implied: [], hidesAll: false };

/** Makes the directories that these layers imply and describe, in an empty directory; how many there are. */
export function joinDirectories(fs: TreeFs, layers: readonly ImplyingLayer[], tree: string, owners: boolean): number {
  const meant = meantDirectories(fs, layers);
  const root = fs.root(tree);
  try {
    makeDirectories(fs, root, meant, owners);
  } finally {
    fs.close(root);
  }
  return meant.length;
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
