/** From a registry into the store. Whatever moment it is killed at, the store is whole and the next pull goes on where it was. */
import type { Policy } from "../run/policy/policy.ts";
import { decodeConfig } from "./config.ts";
import { orDamaged, refuse } from "./image-error.ts";
import { maxDocumentBytes } from "./json-field.ts";
import { checkPacked } from "./layers/layer-limits.ts";
import { type Descriptor, decodeManifest, type Index, type Manifest } from "./manifest.ts";
import { digestsOf, joinLayers, matchingEntries, readDocument, readEntries } from "./open-store.ts";
import { hostPlatform, renderPlatform, selectPlatform } from "./platform.ts";
import { LayerProgress } from "./progress.ts";
import { type Reference, readReference } from "./reference.ts";
import type { RegistryConfig } from "./registry/registry-config.ts";
import { RemoteImage, type RemoteManifest } from "./registry/remote-image.ts";
import { lockPath, openBlob, putBytes } from "./store/blob-file.ts";
import { openLease, sweepLeases, sweepTemporaries } from "./store/lease.ts";
import { putEntry, underIndexLock } from "./store/store-index.ts";
import { sweepPartials } from "./store/sweep.ts";
import { storedForm } from "./stored-form.ts";
import type { ImageStore, Platform, PullEvent, StoredImage } from "./types.ts";

/** How an image is pulled, and who hears of it. */
export interface PullOptions {
  /** What it says of images holds. */
  readonly policy: Policy;
  /** Default: this machine's. */
  readonly platform?: Platform | undefined;
  readonly config: RegistryConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress?: ((event: PullEvent) => void) | undefined;
}

/** Fetches what the store lacks of an image, and names it there. Throws an ImageError; resolves to the image as it is stored. */
export async function pullImage(store: ImageStore, given: string, options: PullOptions): Promise<StoredImage> {
  const began = performance.now();
  const reference = readReference(given);
  const platform = options.platform ?? hostPlatform();
  const tell = options.progress ?? (() => {});
  const context = {
    io: store.host.io,
    env: options.env,
    timeoutMs: options.config.timeoutMs,
    pace: options.config.pace,
  };
  const remote = new RemoteImage(reference, options.config, context, (what, reason, delay_ms) =>
    tell({ event: "retry", what, reason, delay_ms }),
  );
  const progress = new LayerProgress(tell);
  const current = await upToDate(store, reference, platform, remote);
  const image = current ?? (await fetchImage(store, reference, platform, { remote, progress, tell, options }));
  tell({
    event: "done",
    reference: image.reference,
    digest: image.digest,
    downloaded_bytes: progress.downloaded,
    up_to_date: current !== undefined,
    duration_ms: Math.round(performance.now() - began),
  });
  return image;
}

/** The stored image, if it is the one that the registry has: an exact digest always is. */
async function upToDate(store: ImageStore, reference: Reference, platform: Platform, remote: RemoteImage) {
  const stored = await orDamaged(store.resolve(reference.text, platform));
  if (stored === undefined) return undefined;
  if (reference.digest !== undefined && stored.reference === reference.text) return stored;
  const entries = matchingEntries(readEntries(store), reference.text);
  const now = await remote.currentDigest();
  const entry = entries.find((one) => digestsOf(one).includes(stored.digest));
  const isSame = now !== undefined && entry !== undefined && digestsOf(entry).includes(now);
  return isSame && stored.reference === reference.text ? stored : undefined;
}

interface Work {
  readonly remote: RemoteImage;
  readonly progress: LayerProgress;
  readonly tell: (event: PullEvent) => void;
  readonly options: PullOptions;
}

async function fetchImage(
  store: ImageStore,
  reference: Reference,
  platform: Platform,
  work: Work,
): Promise<StoredImage> {
  const { remote, progress, tell, options } = work;
  const { chain, manifest, own } = await findManifest(remote, reference, platform, options.platform !== undefined);
  checkPacked(options.policy, manifest.layers);
  const blobs = [...new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob])).values()];
  const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  const what = { reference: reference.text, digest: own.digest, platform: renderPlatform(platform) };
  tell({ event: "resolved", ...what, layers: manifest.layers.length, size });
  const stored = storedForm(own);
  const digests = [stored.digest, ...chain.map(({ digest }) => digest), ...blobs.map(({ digest }) => digest)];
  const lease = await underIndexLock(store, async () => {
    await sweepPartials(store, new Set(digests.map((digest) => lockPath(store.root, digest))));
    await sweepLeases(store);
    sweepTemporaries(store.root);
    return openLease(store, digests);
  });
  try {
    for (const { digest, bytes } of [...chain, stored]) await putBytes(store, digest, bytes);
    await fetchBlob(store, manifest.config, work);
    const config = decodeConfig(
      readDocument(store, manifest.config.digest) ?? new Uint8Array(),
      manifest.config.digest,
    );
    const layers = joinLayers(manifest, config.diffIds, own.digest);
    if (selectPlatform([{ platform: config }], platform) === undefined) {
      refusePlatform(reference.text, [renderPlatform(config)], platform);
    }
    const queue = blobs.filter(({ digest }) => digest !== manifest.config.digest);
    await inParallel(options.config.parallel, queue, (layer) => fetchBlob(store, layer, work, progress));
    await underIndexLock(store, () =>
      putEntry(store, {
        reference: reference.text,
        manifest: stored,
        originDigest: own.digest,
        platform: config,
        indexDigest: chain.length > 1 ? chain[0]?.digest : undefined,
      }),
    );
    return { reference: reference.text, digest: own.digest, config, layers };
  } finally {
    lease.release();
  }
}

interface Found {
  /** From what the name stands for down to the manifest. */
  readonly chain: readonly RemoteManifest[];
  readonly manifest: Manifest;
  readonly own: RemoteManifest;
}

const maxDepth = 4;

/** Goes down from the name, through indexes, to the manifest for a platform. */
async function findManifest(
  remote: RemoteImage,
  reference: Reference,
  platform: Platform,
  chosen: boolean,
): Promise<Found> {
  let own = await remote.topManifest();
  const chain = [own];
  let document: Manifest | Index = decodeManifest(own.bytes, own.mediaType, own.digest);
  while (document.kind === "index") {
    const next = selectPlatform(document.entries, platform);
    if (next === undefined) refusePlatform(reference.text, platformsOf(document), platform, chosen);
    if (chain.length > maxDepth) refuse("invalid_image", `${reference.text}: indexes within indexes, too deep`);
    checkDocument(next, "a manifest");
    own = await remote.manifest(next);
    chain.push(own);
    document = decodeManifest(own.bytes, next.mediaType, own.digest);
  }
  checkDocument(document.config, "a configuration");
  return { chain, manifest: document, own };
}

function checkDocument({ digest, size }: Descriptor, what: string): void {
  if (size <= maxDocumentBytes) return;
  refuse("invalid_image", `${digest}: ${what} of ${size} bytes, more than ${maxDocumentBytes} (4 MiB)`);
}

/** What an index is for, without what is no image (attestations are for `unknown`). */
function platformsOf({ entries }: Index): string[] {
  const named = entries.flatMap(({ platform }) => (platform === undefined ? [] : [renderPlatform(platform)]));
  return [...new Set(named)].filter((name) => !name.startsWith("unknown/"));
}

function refusePlatform(name: string, has: readonly string[], platform: Platform, chosen = true): never {
  const message = `${name} is not for ${renderPlatform(platform)}${chosen ? "" : ", which this machine is"}`;
  const list = has.slice(0, 20).join(", ");
  refuse("not_found", message, has.length === 0 ? undefined : `it is for ${list}; --platform chooses one`);
}

/** Fetches a blob unless it is here, or another process brings it meanwhile. */
async function fetchBlob(store: ImageStore, blob: Descriptor, work: Work, shown?: LayerProgress): Promise<void> {
  let waited = false;
  const file = await openBlob(store, blob, () => {
    waited = true;
    shown?.state(blob, "waiting", 0);
  });
  if (file === undefined) {
    shown?.state(blob, waited ? "verified" : "present", blob.size);
    return;
  }
  let before = file.length;
  shown?.state(blob, "downloading", before);
  try {
    await work.remote.blob(blob, file, (length) => {
      work.progress.downloaded += Math.max(0, length - before);
      before = length;
      shown?.bytes(blob, length);
    });
    shown?.state(blob, "verified", blob.size);
  } finally {
    file.close();
  }
}

/** At most so many at a time. The first failure stops the others before their next item, and is thrown when all have stopped. */
async function inParallel<T>(most: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined && failures.length === 0; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
