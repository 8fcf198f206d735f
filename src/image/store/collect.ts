/** Which blobs the store needs, and the removal of the others. */
import { decodeConfig } from "../config.ts";
import { isDigest } from "../digest.ts";
import { ImageError } from "../image-error.ts";
import { digestsOf, readDocument, readEntries, readManifest, type StoreEntry } from "../open-store.ts";
import type { ImageStore } from "../types.ts";
import { removeBlob } from "./blob-file.ts";
import { leasedDigests, namesIn, sweepTemporaries } from "./lease.ts";
import { sweepPartials } from "./sweep.ts";

/** What some images need: blobs by digest, and unpacked layers by the digest of their content. */
export interface Needed {
  readonly blobs: ReadonlySet<string>;
  readonly diffIds: ReadonlySet<string>;
}

/** What was removed of unpacked layers. */
export interface RemovedLayers {
  readonly layers: number;
  readonly bytes: number;
  /** Which of them were damaged, and in what: lines for people. Their bytes aren't counted, nothing knows them. */
  readonly damaged: readonly string[];
}

/** What a collection removed. */
export interface Collected extends RemovedLayers {
  readonly blobs: number;
}

/** Removes the unpacked layers that aren't needed: whoever unpacks them knows how, and which are in use. */
export type RemoveLayers = (store: ImageStore, needed: ReadonlySet<string>) => Promise<RemovedLayers>;

/**
 * Removes every blob and unpacked layer that no entry of the index and no living pull needs, and what killed pulls left. Of blobs
 * only `candidates`, where they are given. Under the index lock.
 */
export async function collect(
  store: ImageStore,
  removeLayers?: RemoveLayers,
  candidates: Iterable<string> = storedDigests(store.root),
): Promise<Collected> {
  const needed = neededBy(store, readEntries(store));
  const leased = await leasedDigests(store);
  let blobs = 0;
  let bytes = await sweepPartials(store);
  sweepTemporaries(store.root);
  for (const digest of candidates) {
    if (needed.blobs.has(digest) || leased.has(digest)) continue;
    bytes += removeBlob(store.blobPath(digest));
    blobs++;
  }
  const unpacked = (await removeLayers?.(store, needed.diffIds)) ?? { layers: 0, bytes: 0, damaged: [] };
  return { ...unpacked, blobs, bytes: bytes + unpacked.bytes };
}

function storedDigests(root: string): string[] {
  const algorithms = ["sha256", "sha512"];
  const names = algorithms.flatMap((name) => namesIn(`${root}/blobs/${name}`).map((hex) => `${name}:${hex}`));
  return names.filter(isDigest);
}

/** All that these entries lead to, as far as it is here. */
export function neededBy(store: ImageStore, entries: readonly StoreEntry[]): Needed {
  const blobs = new Set<string>();
  const diffIds = new Set<string>();
  for (const entry of entries) {
    follow(store, entry, blobs, diffIds);
    for (const digest of digestsOf(entry)) if (isDigest(digest)) blobs.add(digest);
  }
  return { blobs, diffIds };
}

function follow(
  store: ImageStore,
  descriptor: { readonly digest: string; readonly mediaType: string },
  blobs: Set<string>,
  diffIds: Set<string>,
): void {
  if (blobs.has(descriptor.digest)) return;
  blobs.add(descriptor.digest);
  const document = readable(() => readManifest(store, descriptor));
  if (document === undefined) return;
  if (document.kind === "index") {
    for (const entry of document.entries) follow(store, entry, blobs, diffIds);
    return;
  }
  for (const { digest } of [document.config, ...document.layers]) blobs.add(digest);
  const config = readable(() => {
    const bytes = readDocument(store, document.config.digest);
    return bytes === undefined ? undefined : decodeConfig(bytes, document.config.digest);
  });
  for (const diffId of config?.diffIds ?? []) diffIds.add(diffId);
}

/** A damaged document, or one of another kind (an artifact), needs nothing that we know of. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}
