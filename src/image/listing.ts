/** What is in the store, for people who look. */
import { decodeConfig } from "./config.ts";
import { ImageError } from "./image-error.ts";
import { imageOf, originAnnotation, readDocument, readEntries, readManifest, type StoreEntry } from "./open-store.ts";
import { renderPlatform } from "./platform.ts";
import { pulledAnnotation } from "./store/store-index.ts";
import type { ImageStore } from "./types.ts";

/** An image as `rauha image ls` lists it; the keys are those of its JSON. */
export interface ListedImage {
  /** Null for one without a name. */
  readonly reference: string | null;
  readonly digest: string;
  readonly platform: string | null;
  /** Bytes of all its blobs as they are stored. Blobs that images share count for each of them. */
  readonly size: number | null;
  readonly layers: number | null;
  readonly created: string | null;
  readonly pulled_at: string | null;
  /** Everything of it is here. */
  readonly whole: boolean;
}

/** Every image of the index, sorted by name. */
export function listImages(store: ImageStore): ListedImage[] {
  const listed = readEntries(store).map((entry) => describe(store, entry));
  return listed.sort((a, b) => ((a.reference ?? "~") < (b.reference ?? "~") ? -1 : 1));
}

function describe(store: ImageStore, entry: StoreEntry): ListedImage {
  const head = { reference: entry.reference ?? null, digest: entry.annotations[originAnnotation] ?? entry.digest };
  const pulled_at = entry.annotations[pulledAnnotation] ?? null;
  const document = orUndefined(() => readManifest(store, entry));
  if (document?.kind !== "manifest") {
    const platform = entry.platform === undefined ? null : renderPlatform(entry.platform);
    const whole = document !== undefined && orUndefined(() => imageOf(store, entry, undefined)) !== undefined;
    return { ...head, platform, size: null, layers: null, created: null, pulled_at, whole };
  }
  const config = orUndefined(() => {
    const bytes = readDocument(store, document.config.digest);
    return bytes === undefined ? undefined : decodeConfig(bytes, document.config.digest);
  });
  const platform = config ?? entry.platform;
  return {
    ...head,
    platform: platform === undefined ? null : renderPlatform(platform),
    size: [document.config, ...document.layers].reduce((sum, { size }) => sum + size, entry.size),
    layers: document.layers.length,
    created: config?.created ?? null,
    pulled_at,
    whole: orUndefined(() => imageOf(store, entry, undefined)) !== undefined,
  };
}

/** Damage of one image doesn't keep the others from being listed. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}
