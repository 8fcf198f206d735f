import { errnoName } from "../../run/report/errno.ts";
import { TreeError } from "../../run/tree-fs.ts";
import { digestOf, parseDigest } from "../digest.ts";
import { refuse } from "../image-error.ts";
import type { ImageStore, StoreHost } from "../types.ts";
import { decodeSummary } from "../unpack/report.ts";
import type { UnpackSummary } from "../unpack/unpack.ts";
import type { LayerSpace } from "./layer-space.ts";

/** An unpacked layer in the store. On the way of every warm start: nothing here loads a module of the runtime. */
export interface StoredLayer {
  readonly diffId: string;
  readonly path: string;
  /** Its tree, absolute. */
  readonly tree: string;
  readonly summary: UnpackSummary;
}

/** Where the layer lies that says how the directories are meant that some layers imply; their `diffIds`, the lowest first. */
export function jointPath({ folder }: LayerSpace, diffIds: readonly string[]): string {
  return `${folder}/joint/${digestOf(new TextEncoder().encode(diffIds.join("\n"))).slice("sha256:".length)}`;
}

/** Where an unpacked layer lies: `tree` has its files, `layer.json` what there is to know of them. */
export function layerPath({ folder }: LayerSpace, diffId: string): string {
  const parsed = parseDigest(diffId);
  if (parsed === undefined) refuse("invalid_image", `${JSON.stringify(diffId)} is no digest`);
  return `${folder}/${parsed.algorithm}/${parsed.hex}`;
}

export const recordName = "layer.json";
export const treeName = "tree";
const maxRecordBytes = 8 << 20;

/** The form of `layer.json`. Whoever changes what is in it counts up: layers with another one are unpacked anew. */
export const recordVersion = 1;

/** What a layer's directory says of itself. */
export type LayerRecord =
  | { readonly state: "whole"; readonly layer: StoredLayer }
  /** Another version of Rauha unpacked it, and wrote down other things than this one needs. */
  | { readonly state: "outdated" }
  | { readonly state: "absent" }
  /** `why` goes on after the path of the record. */
  | { readonly state: "damaged"; readonly why: string };

/** The layer if it is there. It got its name when it was whole, so what has the name is whole. */
export function storedLayer(space: LayerSpace, diffId: string, host: StoreHost): StoredLayer | undefined {
  return readStored(layerPath(space, diffId), diffId, host);
}

/** The same of a layer by its path. Throws an ImageError for one that is damaged. */
export function readStored(path: string, diffId: string, host: StoreHost): StoredLayer | undefined {
  const record = readRecord(path, diffId, host);
  if (record.state === "whole") return record.layer;
  if (record.state === "damaged")
    refuse(
      "setup_failed",
      `${path}/${recordName} ${record.why}`,
      "`rauha image prune` removes the layer; the next run unpacks it again",
    );
  return undefined;
}

/** Reads what a layer's directory says of itself, and refuses nothing. */
export function readRecord(path: string, diffId: string, host: StoreHost): LayerRecord {
  const read = host.io.readText(`${path}/${recordName}`, maxRecordBytes);
  if ("problem" in read)
    return read.problem === "ENOENT"
      ? { state: "absent" }
      : { state: "damaged", why: `can't be read: ${read.problem}` };
  let value: unknown;
  try {
    value = JSON.parse(read.text);
  } catch {
    // No record of any version.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    if ((value as { version?: unknown }).version !== recordVersion) return { state: "outdated" };
    const summary = decodeSummary(value);
    if (summary !== undefined) return { state: "whole", layer: { diffId, path, tree: `${path}/${treeName}`, summary } };
  }
  return { state: "damaged", why: "is damaged" };
}

/**
 * Keeps a layer from being removed as long as this process lives; false when it is being removed, or gone. The lock is shared, on the
 * layer's own directory.
 */
export async function holdLayer(store: ImageStore, layer: StoredLayer): Promise<boolean> {
  const fs = await store.host.trees();
  const { path } = layer;
  try {
    const fd = fs.root(path);
    if (fs.share(fd) && fs.stat(fd, recordName) !== undefined) return true;
    fs.close(fd);
    return false;
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    if (error.errno === 2) return false;
    return refuse("setup_failed", `the layer ${path} can't be opened: ${errnoName(error.errno)}`);
  }
}
