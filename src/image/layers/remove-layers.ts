import { renameSync } from "node:fs";
import type { Diagnostic } from "../../run/diagnostic.ts";
import { errnoName } from "../../run/report/errno.ts";
import { TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { ImageError, refuse } from "../image-error.ts";
import type { RemovedLayers } from "../store/collect.ts";
import { tryLock } from "../store/file-lock.ts";
import { namesIn } from "../store/lease.ts";
import type { ImageStore } from "../types.ts";
import type { LayerSpace } from "./layer-space.ts";
import { allSpaces } from "./mapped-space.ts";
import { partialSuffix, removeWork, workFolder } from "./remove-work.ts";
import { type LayerRecord, readRecord } from "./stored-layer.ts";
import { sweepPartialLayers } from "./sweep-layers.ts";

const ENOENT = 2;

/**
 * Removes the unpacked layers that no image needs, those that no run can use (their records are damaged, or another version's), and what
 * killed invocations left of others. A layer that a living zone has mounted stays: it goes with the next prune.
 */
export async function removeLayers(store: ImageStore, needed: ReadonlySet<string>): Promise<RemovedLayers> {
  const fs = await store.host.trees();
  const removed = { layers: 0, bytes: 0, damaged: [] };
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

/** What is counted up from folder to folder. */
interface Tally {
  layers: number;
  bytes: number;
  readonly damaged: string[];
}

async function removeFrom(
  space: LayerSpace,
  store: ImageStore,
  fs: TreeFs,
  needed: ReadonlySet<string>,
  removed: Tally,
): Promise<void> {
  // Joints cost next to nothing to make again: all that no zone has mounted go.
  for (const algorithm of ["joint", "sha256", "sha512"]) {
    for (const hex of namesIn(`${space.folder}/${algorithm}`)) {
      const layer = { path: `${space.folder}/${algorithm}/${hex}`, name: `${algorithm}-${hex}`, hex };
      const stays = ({ state }: LayerRecord) => state === "whole" && needed.has(`${algorithm}:${hex}`);
      if (stays(readRecord(layer.path, hex, store.host))) continue;
      const record = await removeLayer(store, space, fs, layer, stays);
      if (record === undefined) continue;
      if (algorithm !== "joint") removed.layers++;
      if (record.state === "whole") removed.bytes += record.layer.summary.bytes;
      if (record.state === "absent") removed.damaged.push(`${layer.path}: its record is missing`);
      if (record.state === "damaged") removed.damaged.push(`${layer.path}: its record ${record.why}`);
    }
  }
  if (namesIn(workFolder(space)).length > 0) await sweepPartialLayers(store, space, fs);
}

/** A layer's directory, and the name of its lock. */
interface NamedLayer {
  readonly path: string;
  readonly name: string;
  readonly hex: string;
}

/**
 * First its name goes, then its files: a kill in between leaves what the next sweep removes. What its record said; undefined where it is in
 * use, and where somebody unpacked it anew meanwhile so that it `stays`.
 */
async function removeLayer(
  store: ImageStore,
  space: LayerSpace,
  fs: TreeFs,
  { path, name, hex }: NamedLayer,
  stays: (record: LayerRecord) => boolean,
): Promise<LayerRecord | undefined> {
  const work = workFolder(space);
  const lock = await tryLock(store.host, `${work}/${name}`);
  if (lock === undefined) return undefined;
  let fd = -1;
  try {
    fd = fs.root(path);
    if (!fs.lock(fd)) return undefined;
    const record = readRecord(path, hex, store.host);
    if (stays(record)) return undefined;
    renameSync(path, `${work}/${name}${partialSuffix}`);
    await removeWork(store, space, fs, `${name}${partialSuffix}`);
    return record;
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    if (fd < 0 && error.errno === ENOENT) return undefined;
    return refuse("setup_failed", `the layer ${path} can't be removed: ${error.step}: ${errnoName(error.errno)}`);
  } finally {
    if (fd >= 0) fs.close(fd);
    lock.remove();
  }
}
