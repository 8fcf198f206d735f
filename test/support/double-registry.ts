/** A registry of a test's own, for what a real one never does. It holds one image in memory, and every answer can be replaced. */

import { type RawAnswer, type RawRequest, type RawServer, startRawServer } from "./raw-server.ts";
import { sha256 } from "./test-images.ts";

export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const ociConfig = "application/vnd.oci.image.config.v1+json";
const ociLayer = "application/vnd.oci.image.layer.v1.tar";

export interface DoubleImage {
  readonly manifest: Uint8Array;
  readonly digest: string;
  readonly layer: string;
  readonly config: string;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** An image with one layer of so many bytes, which are no archive: a pull doesn't look into them. */
export function doubleImage(
  layerBytes = 300_000,
  change: (manifest: Manifest) => unknown = (manifest) => manifest,
): DoubleImage {
  const layer = Buffer.alloc(layerBytes);
  for (let at = 0; at < layer.length; at++) layer[at] = (at * 2654435761) >>> 13;
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["sh"] },
      rootfs: { type: "layers", diff_ids: [sha256(layer)] },
    }),
  );
  const sound: Manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: ociConfig, digest: sha256(config), size: config.length },
    layers: [{ mediaType: ociLayer, digest: sha256(layer), size: layer.length }],
  };
  const manifest = Buffer.from(JSON.stringify(change(sound)));
  const blobs = new Map<string, Uint8Array>([config, layer].map((bytes) => [sha256(bytes), bytes]));
  return { manifest, digest: sha256(manifest), layer: sha256(layer), config: sha256(config), blobs };
}

export interface Manifest {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Replaces an answer, or leaves it (undefined). `count`: the how many-th request for that path it is, from 1. */
export type Fault = (request: RawRequest, count: number, sound: RawAnswer) => RawAnswer | undefined;

export interface DoubleRegistry extends RawServer {
  readonly image: DoubleImage;
  /** `HOST/double:1`. */
  readonly reference: string;
}

/** Serves `double` in the repository of that name, with any tag. Understands ranges. */
export function startDouble(image: DoubleImage, fault: Fault = () => undefined): DoubleRegistry {
  const counts = new Map<string, number>();
  const server = startRawServer((request) => {
    const key = `${request.method} ${request.path}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const sound = soundAnswer(image, request);
    return fault(request, count, sound) ?? sound;
  });
  return { ...server, image, reference: `${server.host}/double:1` };
}

function soundAnswer(image: DoubleImage, { path, headers }: RawRequest): RawAnswer {
  if (path === "/v2/") return { body: "{}" };
  const [, kind, name = ""] = /^\/v2\/double\/(manifests|blobs)\/(.+)$/.exec(path) ?? [];
  if (kind === "manifests") {
    return { headers: { "content-type": ociManifest, "docker-content-digest": image.digest }, body: image.manifest };
  }
  const blob = kind === "blobs" ? image.blobs.get(name) : undefined;
  if (blob === undefined) return { status: 404, body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"unknown"}]}' };
  const from = Number(/^bytes=([0-9]+)-$/.exec(headers["range"] ?? "")?.[1] ?? -1);
  if (from < 0) return { body: blob };
  if (from >= blob.length) return { status: 416 };
  const range = `bytes ${from}-${blob.length - 1}/${blob.length}`;
  return { status: 206, headers: { "content-range": range }, body: blob.subarray(from) };
}
