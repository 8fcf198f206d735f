/** Images made by hand: an OCI layout on disk from archives, in whatever media types and compression a test wants. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

export interface BuiltLayer {
  readonly archive: Uint8Array;
  readonly compression?: "gzip" | "zstd" | "none";
  /** What the configuration says instead of the truth. */
  readonly diffId?: string;
  /** The packed bytes, instead of what the compression gives. */
  readonly packed?: Uint8Array;
}

export interface BuiltImage {
  readonly layers: readonly BuiltLayer[];
  /** `config` of the configuration: Env, Cmd, … */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Docker's media types instead of OCI's. */
  readonly docker?: boolean;
  readonly architecture?: string;
}

const ociLayer = { gzip: "tar+gzip", zstd: "tar+zstd", none: "tar" } as const;

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Writes the image as `FOLDER:TAG` and returns that. */
export function buildImage(folder: string, tag: string, image: BuiltImage): string {
  const blobs = join(folder, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: Uint8Array | string, mediaType: string) => {
    const digest = sha256(bytes);
    writeFileSync(join(blobs, digest.slice(7)), bytes);
    return { mediaType, digest, size: typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length };
  };
  const prefix = image.docker === true ? "application/vnd.docker" : "application/vnd.oci";
  const layers = image.layers.map(({ archive, compression = "gzip", packed }) =>
    put(
      packed ?? pack(archive, compression),
      image.docker === true
        ? `${prefix}.image.rootfs.diff.tar.gzip`
        : `${prefix}.image.layer.v1.${ociLayer[compression]}`,
    ),
  );
  const config = {
    architecture: image.architecture ?? (process.arch === "arm64" ? "arm64" : "amd64"),
    os: "linux",
    config: image.config ?? {},
    rootfs: { type: "layers", diff_ids: image.layers.map(({ archive, diffId }) => diffId ?? sha256(archive)) },
  };
  const configType = image.docker === true ? `${prefix}.container.image.v1+json` : `${prefix}.image.config.v1+json`;
  const manifestType =
    image.docker === true ? `${prefix}.distribution.manifest.v2+json` : `${prefix}.image.manifest.v1+json`;
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: put(JSON.stringify(config), configType),
    layers,
  };
  const entry = {
    ...put(JSON.stringify(manifest), manifestType),
    annotations: { "org.opencontainers.image.ref.name": tag },
  };
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  return `${folder}:${tag}`;
}

function pack(archive: Uint8Array, compression: "gzip" | "zstd" | "none"): Uint8Array {
  if (compression === "none") return archive;
  return compression === "gzip" ? gzipSync(archive) : zstdCompressSync(archive);
}
