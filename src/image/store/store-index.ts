/** Changes of the store's index.json, under its lock. */

import { isIndexType, ociIndex } from "../media-types.ts";
import { indexAnnotation, nameAnnotation, originAnnotation, readEntries, type StoreEntry } from "../open-store.ts";
import { hostPlatform, normalPlatform, renderPlatform, samePlatform } from "../platform.ts";
import type { ManifestBytes } from "../stored-form.ts";
import type { ImageStore, Platform } from "../types.ts";
import { withLock } from "./file-lock.ts";
import { initStore, markLayout, refuseWrite, replaceFile, workPaths } from "./layout.ts";

/** When the image came here: RFC 3339. */
export const pulledAnnotation = "dev.rauha.image.pulled";

/** An image that is to be in the index. */
export interface NewEntry {
  readonly reference: string;
  /** As the index names it. */
  readonly manifest: ManifestBytes;
  /** What the registry calls it: another digest where the manifest was translated. */
  readonly originDigest: string;
  readonly platform: Platform;
  /** Of the index that it was chosen from. */
  readonly indexDigest: string | undefined;
}

/** Runs work that changes the index, or decides by it what to remove. The store is made when missing. */
export async function underIndexLock<T>(store: ImageStore, work: () => T | Promise<T>): Promise<T> {
  initStore(store.root);
  return withLock(store.host, workPaths(store.root).indexLock, () => {
    markLayout(store.root);
    return work();
  });
}

/**
 * Puts an image into the index in the place of the one that had its name and platform. Of one name, this machine's platform comes
 * first: programs that take the first then take the right one. Under the index lock.
 */
export function putEntry(store: ImageStore, entry: NewEntry): void {
  const { reference, indexDigest, originDigest } = entry;
  const { mediaType, digest, bytes } = entry.manifest;
  const platform = normalPlatform(entry.platform);
  const made: StoreEntry = {
    mediaType,
    digest,
    size: bytes.length,
    platform,
    reference,
    annotations: {
      [nameAnnotation]: reference,
      [pulledAnnotation]: new Date().toISOString(),
      ...(originDigest === digest ? {} : { [originAnnotation]: originDigest }),
      ...(indexDigest === undefined ? {} : { [indexAnnotation]: indexDigest }),
    },
  };
  const others = readEntries(store).filter((other) => other.reference !== reference || !replaces(made, other));
  const isOurs = samePlatform(platform, hostPlatform());
  const at = isOurs ? others.findIndex((other) => other.reference === reference) : -1;
  writeEntries(store, at < 0 ? [...others, made] : [...others.slice(0, at), made, ...others.slice(at)]);
}

/** Of the same name: one is replaced by the other unless both say what they are for, and it isn't the same. */
function replaces(made: StoreEntry, other: StoreEntry): boolean {
  if (made.platform === undefined || other.platform === undefined || isIndexType(other.mediaType)) return true;
  return renderPlatform(made.platform) === renderPlatform(other.platform);
}

/** Writes the index anew. Under the index lock. */
export function writeEntries(store: ImageStore, entries: readonly StoreEntry[]): void {
  const manifests = entries.map(
    ({ written, mediaType, digest, size, platform, annotations }) =>
      written ?? { mediaType, digest, size, platform, annotations },
  );
  const path = `${store.root}/index.json`;
  try {
    replaceFile(path, `${JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }, null, 2)}\n`);
  } catch (error) {
    refuseWrite(path, error);
  }
}
