/**
 * What the parts of src/image agree on: an image in the store as plain, checked data. Everything in here was decoded from bytes
 * whose digest was verified; nothing of it is a path, a command or a name that was trusted unread.
 */
import type { Backend, HostIo } from "../run/backend.ts";

/** What an image runs on, in the words of the OCI image index (`linux`, `amd64`, `v8`). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Of the processor (`v7`); undefined where the architecture has but one. */
  readonly variant?: string | undefined;
}

/** How a layer's archive is packed. */
export type Compression = "none" | "gzip" | "zstd";

/** One layer of an image. The lowest comes first. */
export interface LayerDescriptor {
  /** Of the bytes in the store: `sha256:…` or `sha512:…`. */
  readonly digest: string;
  /** Bytes in the store. */
  readonly size: number;
  readonly mediaType: string;
  readonly compression: Compression;
  /** Of the archive unpacked from its compression: what two images share when they share a layer. */
  readonly diffId: string;
}

/** The part of an image's configuration that matters to whoever runs it; every field checked for its type and length. */
export interface ImageConfig {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
  /** In order; a later one of the same name holds. Names hold neither `=` nor NUL and aren't empty. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** Empty when the image has none. */
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** As the image says it: absolute, or undefined for `/`. */
  readonly workingDir: string | undefined;
  /** Absolute, without `.` and `..`, and not the root. */
  readonly volumes: readonly string[];
  /** `uid`, `name`, `uid:gid`, `name:group`, as written; undefined for root. */
  readonly user: string | undefined;
  /** `SIGTERM`, `SIGRTMIN+3` or a number, as written. */
  readonly stopSignal: string | undefined;
  /** Digests of the unpacked layers, in order: as many as the image has layers. */
  readonly diffIds: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339, as written. */
  readonly created: string | undefined;
}

/** An image that is whole in the store: all of its blobs are there. */
export interface StoredImage {
  /** Its full name: `docker.io/library/python:3.12`, `localhost:5000/tool@sha256:…`. */
  readonly reference: string;
  /** Of the manifest for this platform. */
  readonly digest: string;
  readonly config: ImageConfig;
  readonly layers: readonly LayerDescriptor[];
}

/** Images on disk, an OCI image layout. Reading takes no lock and writes nothing. */
export interface ImageStore {
  /** Absolute; it need not exist yet. */
  readonly root: string;
  readonly host: StoreHost;
  /**
   * The image of that name (in any spelling that docker knows) and platform (default: this machine's), or undefined when it is not
   * here or not whole. Throws an ImageError for a name that is none, and for a store that can't be read.
   */
  resolve(reference: string, platform?: Platform): Promise<StoredImage | undefined>;
  /** Where the bytes of that digest lie, or would lie. Throws an ImageError for what is no digest: the path never leads out of the store. */
  blobPath(digest: string): string;
}

/** What the store needs of the platform: a Backend has it. Locks are flock(2)'s, loaded only by what writes. */
export interface StoreHost {
  readonly io: Pick<HostIo, "readText">;
  readonly trees: Backend["trees"];
  readonly images: Backend["images"];
}

/** Where the store is and what serves it. */
export interface StoreOptions {
  /** See `storeRoot` in store-root.ts. */
  readonly root: string;
  readonly host: StoreHost;
}

/** When `ensureImage` asks the registry: always, when the image is not here, never. */
export type PullPolicy = "always" | "missing" | "never";

export type { PullEvent } from "../run/image.ts";
