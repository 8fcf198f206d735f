/**
 * Reading the store: from a name to a checked image. This is on the way of every warm start, so nothing here loads a module of the
 * runtime; what writes to the store is elsewhere.
 */
import { decodeConfig } from "./config.ts";
import { digestOf, parseDigest } from "./digest.ts";
import { ImageError, refuse } from "./image-error.ts";
import { JsonField, maxDocumentBytes } from "./json-field.ts";
import { decodeIndexEntry, decodeManifest, type Index, type IndexEntry, type Manifest } from "./manifest.ts";
import { hostPlatform, normalPlatform, selectPlatform } from "./platform.ts";
import { parseReference, readReference } from "./reference.ts";
import type { ImageStore, LayerDescriptor, Platform, StoredImage, StoreOptions } from "./types.ts";

/** The annotation of the OCI image layout that names an image. */
export const nameAnnotation = "org.opencontainers.image.ref.name";
/** Ours: the digest of the index that the image was chosen from. */
export const indexAnnotation = "dev.rauha.image.index";
/** Ours: the digest of the manifest that a registry has, where the one here is its translation. */
export const originAnnotation = "dev.rauha.image.origin";
/** The store's index may name many images. */
const maxIndexBytes = 16 << 20;
const maxEntries = 100_000;
/** An index may name indexes; nobody goes deeper. */
const maxDepth = 4;

/** Opens a store: makes nothing, reads nothing yet. */
export function openStore({ root, host }: StoreOptions): ImageStore {
  const store: ImageStore = {
    root,
    host,
    resolve: async (reference, platform) => resolveImage(store, reference, platform ?? hostPlatform()),
    blobPath: (digest) => {
      const parsed = parseDigest(digest);
      if (parsed === undefined) refuse("invalid_argument", `${JSON.stringify(digest)} is no digest`);
      return `${root}/blobs/${parsed.algorithm}/${parsed.hex}`;
    },
  };
  return store;
}

/** An entry of the store's index. */
export interface StoreEntry extends IndexEntry {
  /** Its full name; undefined for an entry without one. What another program wrote there and is no name of an image stays as it is. */
  readonly reference: string | undefined;
  /** As it stands in the index, with members that mean nothing to us. */
  readonly written?: Readonly<Record<string, unknown>>;
}

/** All entries of the index, in its order; none when there is no store yet. Throws for an index that can't be read. */
export function readEntries(store: ImageStore): StoreEntry[] {
  const path = `${store.root}/index.json`;
  const read = store.host.io.readText(path, maxIndexBytes);
  if ("problem" in read) {
    if (read.problem === "ENOENT" || read.problem === "ENOTDIR") return [];
    const code = read.problem === "EACCES" || read.problem === "EPERM" ? "permission" : "setup_failed";
    refuse(code, `the image store's index can't be read: ${path}: ${read.problem}`, "RAUHA_STORE names another place");
  }
  let value: unknown;
  try {
    value = JSON.parse(read.text);
  } catch {
    refuse("invalid_image", `the image store's index is not JSON: ${path}`, "move it away, and pull the images again");
  }
  const fields = new JsonField(path, value).get("manifests").list(maxEntries);
  return fields.map((field) => {
    const entry = decodeIndexEntry(field);
    return { ...entry, reference: fullName(entry.annotations[nameAnnotation]), written: field.object() };
  });
}

function fullName(name: string | undefined): string | undefined {
  if (name === undefined || name === "") return undefined;
  const parsed = parseReference(name);
  return parsed.ok ? parsed.reference.text : name;
}

/** The entries that a name stands for: by its text, or by the digest of the manifest or of the index that it came from. */
export function matchingEntries(entries: readonly StoreEntry[], given: string): StoreEntry[] {
  const exact = entries.filter(({ reference }) => reference === given);
  if (exact.length > 0) return exact;
  const reference = readReference(given);
  const named = entries.filter((entry) => entry.reference === reference.text);
  if (named.length > 0 || reference.digest === undefined) return named;
  // The same image by a tag of the same repository.
  const repository = `${reference.registry}/${reference.repository}`;
  return entries.filter(
    (entry) =>
      digestsOf(entry).includes(reference.digest ?? "") && entry.reference?.replace(/[:@][^/]*$/, "") === repository,
  );
}

/** What an entry is called besides its name: its manifest, that of the registry, and the index that it came from. */
export function digestsOf({ digest, annotations }: StoreEntry): string[] {
  const others = [annotations[originAnnotation], annotations[indexAnnotation]];
  return [digest, ...others.filter((other) => other !== undefined)];
}

function resolveImage(store: ImageStore, given: string, platform: Platform): StoredImage | undefined {
  const entries = matchingEntries(readEntries(store), given);
  for (const entry of entries) {
    const found = imageOf(store, entry, platform);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The image of an entry for a platform; undefined where it is for another one, or not whole. */
export function imageOf(store: ImageStore, entry: StoreEntry, platform: Platform | undefined): StoredImage | undefined {
  const chosen = descend(store, entry, platform, 0);
  if (chosen === undefined) return undefined;
  const { manifest } = chosen;
  const digest = entry.annotations[originAnnotation] ?? chosen.digest;
  const bytes = readDocument(store, manifest.config.digest);
  if (bytes === undefined) return undefined;
  const config = decodeConfig(bytes, manifest.config.digest);
  const fits = platform === undefined || selectPlatform([{ platform: normalPlatform(config) }], platform) !== undefined;
  if (!fits || !manifest.layers.every((layer) => isThere(store, layer.digest))) return undefined;
  return { reference: entry.reference ?? digest, digest, config, layers: joinLayers(manifest, config.diffIds, digest) };
}

/** From an entry to the manifest, through indexes of other programs. */
function descend(
  store: ImageStore,
  entry: IndexEntry,
  platform: Platform | undefined,
  depth: number,
): { readonly manifest: Manifest; readonly digest: string } | undefined {
  const document = readManifest(store, entry);
  if (document === undefined) return undefined;
  if (document.kind === "manifest") return { manifest: document, digest: entry.digest };
  const next = selectPlatform(document.entries, platform ?? hostPlatform());
  return next === undefined || depth >= maxDepth ? undefined : descend(store, next, platform, depth + 1);
}

/** A manifest or an index of the store; undefined when it is not there. Throws when it is not what its digest says. */
export function readManifest(
  store: ImageStore,
  { digest, mediaType }: { readonly digest: string; readonly mediaType: string },
): Manifest | Index | undefined {
  const bytes = readDocument(store, digest);
  return bytes === undefined ? undefined : decodeManifest(bytes, mediaType, digest);
}

/** A small blob, verified once more: the disk may have changed what the registry sent. */
export function readDocument(store: ImageStore, digest: string): Uint8Array | undefined {
  const path = store.blobPath(digest);
  const read = store.host.io.readText(path, maxDocumentBytes);
  if ("problem" in read) {
    if (read.problem === "ENOENT" || read.problem === "ENOTDIR") return undefined;
    refuse("setup_failed", `the image store can't be read: ${path}: ${read.problem}`);
  }
  const bytes = new TextEncoder().encode(read.text);
  if (digestOf(bytes, parseDigest(digest)?.algorithm) !== digest) {
    const hint = "rauha image pull REF fetches it anew";
    refuse("digest_mismatch", `${path} is damaged: its content is not what its name says`, hint);
  }
  return bytes;
}

/** Each layer with the digest of what is in it: the configuration lists those in the same order. */
export function joinLayers(manifest: Manifest, diffIds: readonly string[], name: string): LayerDescriptor[] {
  if (diffIds.length !== manifest.layers.length) {
    const message = `manifest ${name}: has ${manifest.layers.length} layers, and its configuration names ${diffIds.length}`;
    throw new ImageError([{ code: "invalid_image", message }]);
  }
  return manifest.layers.map((layer, index) => ({ ...layer, diffId: diffIds[index] ?? "" }));
}

/** A file of any size is there: it has more than no bytes, which is more than was asked for, or none. */
export function isThere(store: ImageStore, digest: string): boolean {
  const read = store.host.io.readText(store.blobPath(digest), 0);
  return "text" in read || read.problem.startsWith("larger");
}
