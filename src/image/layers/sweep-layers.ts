import { readdirSync } from "node:fs";
import { TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { tryLock } from "../store/file-lock.ts";
import type { ImageStore } from "../types.ts";
import type { LayerSpace } from "./layer-space.ts";
import { partialSuffix, removeWork, workFolder } from "./remove-work.ts";

/**
 * What killed invocations left, a partial layer whose lock is free; and layers that were set aside, as soon as no zone has them mounted
 * any more. All but `own`.
 */
export async function sweepPartialLayers(
  store: ImageStore,
  space: LayerSpace,
  fs: TreeFs,
  own?: string,
): Promise<void> {
  const work = workFolder(space);
  for (const file of readdirSync(work)) {
    const name = file.slice(0, -partialSuffix.length);
    if (!file.endsWith(partialSuffix) || name === own) continue;
    const lock = await tryLock(store.host, `${work}/${name}`);
    if (lock === undefined) continue;
    try {
      if (!isMounted(fs, `${work}/${file}`)) await removeWork(store, space, fs, file);
    } finally {
      lock.remove();
    }
  }
}

/** Zones hold a shared lock on the directory of each of their layers. What is no directory is held by nobody. */
function isMounted(fs: TreeFs, path: string): boolean {
  let fd = -1;
  try {
    fd = fs.root(path);
    return !fs.lock(fd);
  } catch (error) {
    if (error instanceof TreeError) return false;
    throw error;
  } finally {
    if (fd >= 0) fs.close(fd);
  }
}
