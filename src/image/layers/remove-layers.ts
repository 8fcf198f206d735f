import { renameSync } from "node:fs";
import type { Diagnostic } from "../../run/diagnostic.ts";
import { errnoName } from "../../run/report/errno.ts";
import { TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { ImageError, refuse } from "../image-error.ts";
import { tryLock } from "../store/file-lock.ts";
import { namesIn } from "../store/lease.ts";
import type { ImageStore } from "../types.ts";
import type { LayerSpace } from "./layer-space.ts";
import { allSpaces } from "./mapped-space.ts";
import { removeWork, workFolder } from "./remove-work.ts";
import { readStored } from "./stored-layer.ts";
import { partialSuffix, sweepPartialLayers } from "./unpack-layer.ts";

/**
 * Removes the unpacked layers that no image needs, and what killed invocations left of others. A layer that a living zone has mounted
 * stays: it goes with the next prune.
 */
export async function removeLayers(
  store: ImageStore,
  needed: ReadonlySet<string>,
): Promise<{ readonly layers: number; readonly bytes: number }> {
  const fs = await store.host.trees();
  const removed = { layers: 0, bytes: 0 };
  const problems: Diagnostic[] = [];
  for (const space of allSpaces(store)) {
    try {
      await removeFrom(space, store, fs, needed, removed);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      // What belongs to ids that the user has no more must not keep the rest.
      problems.push(...error.diagnostics);
    }
  }
  if (problems.length > 0) throw new ImageError(problems);
  return removed;
}

async function removeFrom(
  space: LayerSpace,
  store: ImageStore,
  fs: TreeFs,
  needed: ReadonlySet<string>,
  removed: { layers: number; bytes: number },
): Promise<void> {
  // Joints cost next to nothing to make again: all that no zone has mounted go.
  for (const algorithm of ["joint", "sha256", "sha512"]) {
    for (const hex of namesIn(`${space.folder}/${algorithm}`)) {
      const diffId = `${algorithm}:${hex}`;
      if (needed.has(diffId)) continue;
      const size = await removeLayer(store, space, fs, algorithm, hex);
      if (size === undefined) continue;
      if (algorithm !== "joint") removed.layers++;
      removed.bytes += size;
    }
  }
  if (namesIn(workFolder(space)).length > 0) await sweepPartialLayers(store, space, fs);
}

/** First its name goes, then its files: a kill in between leaves what the next sweep removes. Undefined where it is in use. */
async function removeLayer(
  store: ImageStore,
  space: LayerSpace,
  fs: TreeFs,
  algorithm: string,
  hex: string,
): Promise<number | undefined> {
  const path = `${space.folder}/${algorithm}/${hex}`;
  const work = workFolder(space);
  const name = `${algorithm}-${hex}`;
  const lock = await tryLock(store.host, `${work}/${name}`);
  if (lock === undefined) return undefined;
  let fd = -1;
  try {
    fd = fs.root(path);
    if (!fs.lock(fd)) return undefined;
    const size = readStored(path, hex, store.host)?.summary.bytes ?? 0;
    renameSync(path, `${work}/${name}${partialSuffix}`);
    await removeWork(store, space, fs, `${name}${partialSuffix}`);
    return size;
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    return refuse("setup_failed", `the layer ${path} can't be removed: ${error.step}: ${errnoName(error.errno)}`);
  } finally {
    if (fd >= 0) fs.close(fd);
    lock.remove();
  }
}
