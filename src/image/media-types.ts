/** Media types of the OCI image specification and of Docker's image manifest, version 2 schema 2. */
import type { Compression } from "./types.ts";

export const ociIndex = "application/vnd.oci.image.index.v1+json";
export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
export const ociConfig = "application/vnd.oci.image.config.v1+json";
const dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
const dockerConfig = "application/vnd.docker.container.image.v1+json";

/** What we ask a registry for. */
export const acceptedManifests: readonly string[] = [ociIndex, ociManifest, dockerIndex, dockerManifest];

export const isIndexType = (type: string): boolean => type === ociIndex || type === dockerIndex;
export const isManifestType = (type: string): boolean => type === ociManifest || type === dockerManifest;
export const isConfigType = (type: string): boolean => type === ociConfig || type === dockerConfig;
/** Docker's first format, which names no sizes. */
export const isOldManifestType = (type: string): boolean =>
  /^application\/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)$/.test(type);

const layers: Readonly<Record<string, Compression>> = {
  "application/vnd.oci.image.layer.v1.tar": "none",
  "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
  "application/vnd.oci.image.layer.nondistributable.v1.tar": "none",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "zstd",
  "application/vnd.docker.image.rootfs.diff.tar": "none",
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
};

/** How a layer of that type is packed; undefined for what is no layer that a zone can have. */
export function layerCompression(type: string): Compression | undefined {
  return Object.hasOwn(layers, type) ? layers[type] : undefined;
}

/** The OCI type of a layer that is packed so. */
export function layerType(compression: Compression): string {
  return `application/vnd.oci.image.layer.v1.tar${compression === "none" ? "" : `+${compression}`}`;
}

/** `application/json; charset=utf-8` without what follows the semicolon. */
export function bareType(header: string | null | undefined): string {
  return (header ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
