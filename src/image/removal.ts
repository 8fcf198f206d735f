/** Taking images out of the store. */
import { existsSync } from "node:fs";
import { refuse } from "./image-error.ts";
import { digestsOf, matchingEntries, readEntries, type StoreEntry } from "./open-store.ts";
import { samePlatform } from "./platform.ts";
import { readReference } from "./reference.ts";
import { type Collected, collect, neededBy, type RemoveLayers } from "./store/collect.ts";
import { underIndexLock, writeEntries } from "./store/store-index.ts";
import type { ImageStore, Platform } from "./types.ts";

/** What a removal took away. */
export interface Removed extends Collected {
  /** Names that are gone. */
  readonly references: readonly string[];
}

/**
 * Removes images by their names (of one name all platforms, unless one is given), and what then no image needs. Throws a `not_found`
 * before anything is removed when one of them isn't there.
 */
export async function removeImages(
  store: ImageStore,
  names: readonly string[],
  platform: Platform | undefined,
  removeLayers?: RemoveLayers,
): Promise<Removed> {
  // Without a lock first: what isn't here is no reason to make a store.
  for (const name of names) entriesToRemove(readEntries(store), name, platform);
  return underIndexLock(store, async () => {
    const entries = readEntries(store);
    const gone = new Set(names.flatMap((name) => entriesToRemove(entries, name, platform)));
    const candidates = neededBy(store, [...gone]).blobs;
    writeEntries(
      store,
      entries.filter((entry) => !gone.has(entry)),
    );
    const references = [...gone].map(({ reference, digest }) => reference ?? digest);
    return { references, ...(await collect(store, removeLayers, candidates)) };
  });
}

function entriesToRemove(entries: readonly StoreEntry[], name: string, platform: Platform | undefined): StoreEntry[] {
  const byDigest = entries.filter((entry) => digestsOf(entry).includes(name));
  const named = byDigest.length > 0 ? byDigest : matchingEntries(entries, name);
  const found = named.filter(
    (entry) => platform === undefined || (entry.platform !== undefined && samePlatform(entry.platform, platform)),
  );
  if (found.length > 0) return found;
  return refuse("not_found", `there is no image ${readReference(name).text} here`, "`rauha image ls` lists them");
}

/** Removes what no image needs; with `all`, the images too. */
export async function pruneImages(store: ImageStore, all: boolean, removeLayers?: RemoveLayers): Promise<Removed> {
  if (!existsSync(store.root)) return { references: [], blobs: 0, layers: 0, bytes: 0, damaged: [] };
  return underIndexLock(store, async () => {
    const entries = all ? readEntries(store) : [];
    if (entries.length > 0) writeEntries(store, []);
    const references = entries.map(({ reference, digest }) => reference ?? digest);
    return { references, ...(await collect(store, removeLayers)) };
  });
}
