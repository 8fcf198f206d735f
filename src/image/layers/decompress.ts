import { createReadStream } from "node:fs";
import { pipeline, type Readable, type Transform } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import type { Policy } from "../../run/policy/policy.ts";
import { refuse } from "../image-error.ts";
import type { LayerDescriptor } from "../types.ts";
import type { LayerLimit } from "../unpack/refusal.ts";
import { brokenLimit } from "./layer-limits.ts";

/** A layer's archive out of its compression, hashed on its way. */
export interface Archive {
  /** Ends early where the archive breaks a limit: whoever reads it then knows at which entry that was. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The digest of all bytes; undefined as long as not all were read. */
  diffId(): string | undefined;
  /** How many came. */
  size(): number;
  broken(): LayerLimit | undefined;
}

const chunkBytes = 1 << 18;
/** As other tools have it: a window of 128 MiB. What needs more memory to unpack is refused. */
const zstdWindowLog = 27;

/** Opens the archive of a layer whose packed form is at `path`. Reading it throws an ImageError for damage. */
export function openArchive(path: string, layer: LayerDescriptor, limits: Policy["image"]): Archive {
  const algorithm = layer.diffId.startsWith("sha512:") ? "sha512" : "sha256";
  const hash = new Bun.CryptoHasher(algorithm);
  let digest: string | undefined;
  let broken: LayerLimit | undefined;
  let total = 0;
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of unpacked(path, layer)) {
        const bytes = chunk as Uint8Array;
        total += bytes.length;
        broken = brokenLimit(limits, total, layer.size);
        if (broken !== undefined) return;
        hash.update(bytes);
        yield bytes;
      }
    } catch (error) {
      if (error instanceof Error && error.name === "ImageError") throw error;
      const reason = error instanceof Error ? error.message : String(error);
      refuse("invalid_image", `layer ${layer.digest} can't be decompressed (${layer.compression}): ${reason}`);
    }
    digest = `${algorithm}:${hash.digest("hex")}`;
  }
  return { bytes: read(), diffId: () => digest, size: () => total, broken: () => broken };
}

function unpacked(path: string, layer: LayerDescriptor): Readable {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const unpack = decompressor(layer);
  // A failure of either ends both; the one that is read from reports it.
  return unpack === undefined ? file : pipeline(file, unpack, () => undefined);
}

function decompressor({ compression }: LayerDescriptor): Transform | undefined {
  if (compression === "gzip") return createGunzip({ chunkSize: chunkBytes });
  if (compression === "none") return undefined;
  return createZstdDecompress({
    chunkSize: chunkBytes,
    params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog },
  });
}
