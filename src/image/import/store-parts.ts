/** What every import ends with: blobs into the store, and the image's name into its index. */
import type { Policy } from "../../run/policy/policy.ts";
import { refuse } from "../image-error.ts";
import { maxDocumentBytes } from "../json-field.ts";
import type { Descriptor } from "../manifest.ts";
import { openBlob, putBytes } from "../store/blob-file.ts";
import { openLease } from "../store/lease.ts";
import { putEntry, underIndexLock } from "../store/store-index.ts";
import { type ManifestBytes, storedForm } from "../stored-form.ts";
import type { ImageStore, Platform } from "../types.ts";

/** An image that is in the store now. */
export interface Imported {
  readonly reference: string;
  readonly digest: string;
  readonly platform: Platform;
}

/** What whoever imports says of it. */
export interface ImportWish {
  readonly reference: string | undefined;
  readonly platform: Platform | undefined;
  readonly policy: Policy;
}

/** Bytes that are to be a blob, and how to read them. */
export interface BlobSource extends Descriptor {
  bytes(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** Reads a blob's bytes into the store, verified. */
export async function storeBlob(store: ImageStore, { digest, size, bytes }: BlobSource): Promise<void> {
  const file = await openBlob(store, { digest, size });
  if (file === undefined) return;
  try {
    file.restart();
    for await (const piece of bytes()) file.write(piece);
    file.commit();
  } finally {
    file.close();
  }
}

/** The bytes of a small document, whole. */
export async function gather(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  name: string,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source) {
    length += piece.length;
    if (length > maxDocumentBytes) refuse("invalid_image", `${name} has more than ${maxDocumentBytes} bytes (4 MiB)`);
    parts.push(piece);
  }
  return Buffer.concat(parts);
}

/** An image whose parts are at hand. */
export interface NewImage {
  readonly references: readonly string[];
  readonly platform: Platform;
  /** Documents in between, from what the name stands for down to the manifest. */
  readonly chain: readonly ManifestBytes[];
  readonly blobs: readonly BlobSource[];
}

/** Stores an image and gives it its names. */
export async function storeImage(store: ImageStore, image: NewImage): Promise<Imported[]> {
  const { references, platform, chain, blobs } = image;
  const manifest = chain.at(-1);
  if (manifest === undefined) throw new Error("an image without a manifest");
  const digests = [...chain, storedForm(manifest), ...blobs].map(({ digest }) => digest);
  const lease = await underIndexLock(store, () => openLease(store, digests));
  try {
    const stored = storedForm(manifest);
    for (const { digest, bytes } of [...chain, stored]) await putBytes(store, digest, bytes);
    for (const blob of new Map(blobs.map((one) => [one.digest, one])).values()) await storeBlob(store, blob);
    const { digest } = manifest;
    const indexDigest = chain.length > 1 ? chain[0]?.digest : undefined;
    await underIndexLock(store, () => {
      for (const reference of references) {
        putEntry(store, { reference, manifest: stored, originDigest: digest, platform, indexDigest });
      }
    });
    return references.map((reference) => ({ reference, digest, platform }));
  } finally {
    lease.release();
  }
}
