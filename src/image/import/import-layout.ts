/** OCI image layouts, as a directory or an archive. */
import { decodeConfig } from "../config.ts";
import { digestOf, parseDigest } from "../digest.ts";
import { refuse } from "../image-error.ts";
import { JsonField, maxDocumentBytes } from "../json-field.ts";
import { checkPacked } from "../layers/layer-limits.ts";
import { type Descriptor, decodeIndexEntry, decodeManifest, type IndexEntry, type Manifest } from "../manifest.ts";
import { joinLayers, nameAnnotation } from "../open-store.ts";
import { hostPlatform, renderPlatform, selectPlatform } from "../platform.ts";
import { readReference } from "../reference.ts";
import type { ImageStore, Platform } from "../types.ts";
import { type BlobSource, gather, type Imported, type ImportWish, storeImage } from "./store-parts.ts";

/** A layout, wherever it is. Reading throws an ImageError for what isn't there. */
export interface LayoutReader {
  bytes(path: string): Iterable<Uint8Array>;
}

/** Full names, as containerd and docker write them. */
const containerdName = "io.containerd.image.name";
const maxDepth = 4;

/** Imports all images of an OCI layout. Throws an ImageError for what it refuses; then nothing of it has a name. */
export async function importLayout(
  store: ImageStore,
  layout: LayoutReader,
  { reference, platform = hostPlatform(), policy }: ImportWish,
): Promise<Imported[]> {
  const index = JsonField.parse("index.json", await gather(layout.bytes("index.json"), "index.json"));
  const entries = index.get("manifests").list(1000).map(decodeIndexEntry);
  const chosen = reference === undefined ? entries : [chooseOne(entries, reference, platform)];
  const imported: Imported[] = [];
  for (const entry of chosen) {
    const name = reference ?? nameOf(entry);
    if (name === undefined) {
      refuse("invalid_argument", `the layout gives ${entry.digest} no name`, "rauha image import FILE REF");
    }
    imported.push(...(await importEntry(store, layout, entry, { reference: name, platform, policy })));
  }
  if (imported.length === 0) refuse("invalid_image", "index.json names no image");
  return imported;
}

function nameOf({ annotations }: IndexEntry): string | undefined {
  const name = annotations[containerdName] ?? annotations[nameAnnotation];
  return name === undefined ? undefined : readReference(name).text;
}

/** The one image that gets the name: the only one, the one that has it, or the one for the platform. */
function chooseOne(entries: readonly IndexEntry[], reference: string, platform: Platform): IndexEntry {
  const named = entries.filter((entry) => nameOfOrNot(entry) === reference);
  const candidates = named.length > 0 ? named : entries;
  const [only] = candidates;
  if (candidates.length === 1 && only !== undefined) return only;
  const fitting = selectPlatform(candidates, platform);
  const names = entries.map((entry) => nameOfOrNot(entry) ?? entry.digest).slice(0, 20);
  return (
    fitting ??
    refuse("invalid_argument", `the layout holds ${entries.length} images: ${names.join(", ")}`, "leave REF out")
  );
}

function nameOfOrNot(entry: IndexEntry): string | undefined {
  try {
    return nameOf(entry);
  } catch {
    return undefined;
  }
}

async function importEntry(
  store: ImageStore,
  layout: LayoutReader,
  entry: IndexEntry,
  { reference: name, platform, policy }: ImportWish & { readonly reference: string; readonly platform: Platform },
): Promise<Imported[]> {
  const chain: { digest: string; mediaType: string; bytes: Uint8Array }[] = [];
  let next: Descriptor = entry;
  let manifest: Manifest | undefined;
  while (manifest === undefined) {
    const bytes = await readDocument(layout, next);
    const document = decodeManifest(bytes, next.mediaType, next.digest);
    chain.push({ digest: next.digest, mediaType: document.mediaType, bytes });
    if (document.kind === "manifest") manifest = document;
    else {
      const found = selectPlatform(document.entries, platform);
      if (found === undefined)
        refuse("not_found", `${name} is not for ${renderPlatform(platform)}`, "--platform chooses");
      if (chain.length > maxDepth) refuse("invalid_image", `${name}: indexes within indexes, too deep`);
      next = found;
    }
  }
  checkPacked(policy, manifest.layers);
  const config = decodeConfig(await readDocument(layout, manifest.config), manifest.config.digest);
  joinLayers(manifest, config.diffIds, next.digest);
  const source = (blob: Descriptor): BlobSource => ({ ...blob, bytes: () => layout.bytes(pathOf(blob.digest)) });
  const blobs = [manifest.config, ...manifest.layers].map(source);
  return storeImage(store, { references: [name], platform: config, chain, blobs });
}

function pathOf(digest: string): string {
  const { algorithm, hex } = parseDigest(digest) ?? refuse("invalid_image", `${digest} is no digest`);
  return `blobs/${algorithm}/${hex}`;
}

async function readDocument(layout: LayoutReader, { digest, size }: Descriptor): Promise<Uint8Array> {
  if (size > maxDocumentBytes) refuse("invalid_image", `${digest} has ${size} bytes, more than 4 MiB`);
  const bytes = await gather(layout.bytes(pathOf(digest)), digest);
  const found = digestOf(bytes, parseDigest(digest)?.algorithm);
  if (found !== digest) refuse("digest_mismatch", `the layout's ${digest} has the digest ${found}`);
  return bytes;
}
