import { renameSync } from "node:fs";
import { errnoName } from "../../run/report/errno.ts";
import { TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { refuse } from "../image-error.ts";
import { tryLock } from "../store/file-lock.ts";
import { namesIn } from "../store/lease.ts";
import type { ImageStore } from "../types.ts";
import { readStored } from "./stored-layer.ts";
import { partialSuffix, removeAt, sweepPartialLayers, workFolder } from "./unpack-layer.ts";

/**
 * Removes the unpacked layers that no image needs, and what killed invocations left of others. A layer that a living zone has mounted
 * stays: it goes with the next prune.
 */
export async function removeLayers(
  store: ImageStore,
  needed: ReadonlySet<string>,
): Promise<{ readonly layers: number; readonly bytes: number }> {
  const fs = await store.host.trees();
  let layers = 0;
  let bytes = 0;
  // Joints cost next to nothing to make again: all that no zone has mounted go.
  for (const algorithm of ["joint", "sha256", "sha512"]) {
    for (const hex of namesIn(`${store.root}/layers/${algorithm}`)) {
      const diffId = `${algorithm}:${hex}`;
      if (needed.has(diffId)) continue;
      const size = await removeLayer(store, fs, algorithm, hex);
      if (size === undefined) continue;
      if (algorithm !== "joint") layers++;
      bytes += size;
    }
  }
  if (namesIn(workFolder(store.root)).length > 0) await sweepPartialLayers(store, fs);
  return { layers, bytes };
}

/** First its name goes, then its files: a kill in between leaves what the next sweep removes. Undefined where it is in use. */
async function removeLayer(store: ImageStore, fs: TreeFs, algorithm: string, hex: string): Promise<number | undefined> {
  const path = `${store.root}/layers/${algorithm}/${hex}`;
  const work = workFolder(store.root);
  const name = `${algorithm}-${hex}`;
  const lock = await tryLock(store.host, `${work}/${name}`);
  if (lock === undefined) return undefined;
  let fd = -1;
  try {
    fd = fs.root(path);
    if (!fs.lock(fd)) return undefined;
    const size = readStored(path, hex, store.host)?.summary.bytes ?? 0;
    renameSync(path, `${work}/${name}${partialSuffix}`);
    removeAt(fs, work, `${name}${partialSuffix}`);
    return size;
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    return refuse("setup_failed", `the layer ${path} can't be removed: ${error.step}: ${errnoName(error.errno)}`);
  } finally {
    if (fd >= 0) fs.close(fd);
    lock.remove();
  }
}
