/** Manifests of our own making. */
import { digestOf } from "./digest.ts";
import { decodeManifest } from "./manifest.ts";
import { layerType, ociConfig, ociManifest } from "./media-types.ts";
import type { Compression } from "./types.ts";

/** A document of the store with its name. */
export interface ManifestBytes {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** An OCI manifest for a configuration and layers. */
export function makeManifest(
  config: { readonly digest: string; readonly size: number },
  layers: readonly { readonly digest: string; readonly size: number; readonly compression: Compression }[],
): ManifestBytes {
  const document = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: ociConfig, digest: config.digest, size: config.size },
    layers: layers.map(({ digest, size, compression }) => ({ mediaType: layerType(compression), digest, size })),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return { digest: digestOf(bytes), mediaType: ociManifest, bytes };
}

/**
 * What the index names for a manifest: the manifest itself, and of Docker's format, which readers of OCI layouts pass over, its
 * translation. Configuration and layers are the same bytes in both.
 */
export function storedForm(manifest: ManifestBytes): ManifestBytes {
  const document = decodeManifest(manifest.bytes, manifest.mediaType, manifest.digest);
  if (document.kind !== "manifest" || document.mediaType === ociManifest) {
    return { ...manifest, mediaType: document.mediaType };
  }
  return makeManifest(document.config, document.layers);
}
