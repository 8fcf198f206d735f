/** Manifests and indexes: bytes that a registry sent, checked, as data. */
import { isDigest } from "./digest.ts";
import { JsonField } from "./json-field.ts";
import {
  isConfigType,
  isIndexType,
  isManifestType,
  isOldManifestType,
  layerCompression,
  ociIndex,
  ociManifest,
} from "./media-types.ts";
import type { Compression, Platform } from "./types.ts";

/** Names some bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** An image manifest (OCI image-spec manifest.md, or docker's schema 2), checked. */
export interface Manifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly (Descriptor & { readonly compression: Compression })[];
}

/** One image of an index. */
export interface IndexEntry extends Descriptor {
  readonly platform: Platform | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An image index (OCI image-spec image-index.md, or docker's manifest list), checked. */
export interface Index {
  readonly kind: "index";
  readonly mediaType: string;
  readonly entries: readonly IndexEntry[];
}

/** An overlay takes at most 500 lower directories; docker itself stops at 127 layers. */
export const maxLayers = 500;
const maxIndexEntries = 1000;

/**
 * Reads a manifest or an index. `type` is what the registry or a descriptor said that it is; where the document says so too, both
 * must be the same, and no document may be both (CVE-2021-41190). Throws an `invalid_image`.
 */
export function decodeManifest(bytes: Uint8Array, type: string, name: string): Manifest | Index {
  const what = `manifest ${name}`;
  const document = JsonField.parse(what, bytes);
  const said = document.get("mediaType").optionalText(256);
  if (isOldManifestType(said ?? type) || document.get("schemaVersion").value === 1) {
    document.get("schemaVersion").fail("2: docker's old format is not read", "version 1");
  }
  if (document.get("schemaVersion").value !== 2) document.get("schemaVersion").fail("2");
  const isKnown = isIndexType(type) || isManifestType(type);
  if (said !== undefined && isKnown && said !== type) document.get("mediaType").fail(`${type}, as it was sent`);
  const hasLayers = !document.get("layers").absent || !document.get("config").absent;
  const hasManifests = !document.get("manifests").absent;
  if (hasLayers && hasManifests) document.fail("either layers or manifests", "both");
  const mediaType = said ?? (isKnown ? type : hasManifests ? ociIndex : ociManifest);
  if (isIndexType(mediaType) && !hasLayers) return decodeIndex(document, mediaType);
  if (isManifestType(mediaType) && !hasManifests) return decodeImage(document, mediaType);
  return document.get("mediaType").fail("an image manifest or an image index", JSON.stringify(mediaType));
}

/** The entries of an index, whose head is already known. */
function decodeIndex(document: JsonField, mediaType: string): Index {
  return { kind: "index", mediaType, entries: document.get("manifests").list(maxIndexEntries).map(decodeIndexEntry) };
}

/** One entry of an index, also of the store's own. */
export function decodeIndexEntry(field: JsonField): IndexEntry {
  const platform = field.get("platform");
  return {
    ...decodeDescriptor(field),
    platform: platform.absent
      ? undefined
      : {
          os: platform.get("os").optionalText(64) ?? "linux",
          architecture: platform.get("architecture").optionalText(64) ?? "",
          variant: platform.get("variant").optionalText(64),
        },
    annotations: field.get("annotations").textRecord(1000),
  };
}

function decodeImage(document: JsonField, mediaType: string): Manifest {
  const config = decodeDescriptor(document.get("config"));
  if (!isConfigType(config.mediaType)) {
    document.get("config").get("mediaType").fail("an image's configuration: this is no image that can be run");
  }
  const layers = document.get("layers").list(maxLayers).map(decodeLayer);
  const sizes = new Map<string, number>();
  for (const [index, { digest, size }] of layers.entries()) {
    if ((sizes.get(digest) ?? size) !== size)
      document.get("layers").fail("one size for each digest", `two for layers[${index}]`);
    sizes.set(digest, size);
  }
  return { kind: "manifest", mediaType, config, layers };
}

function decodeLayer(field: JsonField): Descriptor & { compression: Compression } {
  const descriptor = decodeDescriptor(field);
  const compression = layerCompression(descriptor.mediaType);
  if (compression === undefined) return field.get("mediaType").fail("a tar archive, plain, gzip or zstd");
  return { ...descriptor, compression };
}

function decodeDescriptor(field: JsonField): Descriptor {
  const digest = field.get("digest").text(256);
  if (!isDigest(digest)) field.get("digest").fail("sha256: and 64 digits, or sha512: and 128");
  return { mediaType: field.get("mediaType").text(256), digest, size: field.get("size").size() };
}
