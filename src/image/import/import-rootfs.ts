/** A tar archive of a root file system: becomes the only layer of an image without a configuration of its own. */
import { digestOf } from "../digest.ts";
import { ociConfig } from "../media-types.ts";
import { hostPlatform } from "../platform.ts";
import { makeManifest } from "../stored-form.ts";
import type { ImageStore, Platform } from "../types.ts";
import type { OpenArchive } from "./open-archive.ts";
import { type Imported, storeImage } from "./store-parts.ts";

/** The same archive always becomes the same image: nothing of the time or the place is in it. */
export async function importRootfs(
  store: ImageStore,
  archive: OpenArchive,
  reference: string,
  platform: Platform = hostPlatform(),
): Promise<Imported[]> {
  const layer = await measure(archive.given());
  const diffId = archive.compression === "none" ? layer.digest : (await measure(archive.unpacked())).digest;
  const { os, architecture, variant } = platform;
  const document = {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: {},
    rootfs: { type: "layers", diff_ids: [diffId] },
  };
  const config = new TextEncoder().encode(JSON.stringify(document));
  const { compression } = archive;
  const manifest = makeManifest({ digest: digestOf(config), size: config.length }, [{ ...layer, compression }]);
  return storeImage(store, {
    references: [reference],
    platform,
    chain: [manifest],
    blobs: [
      { digest: digestOf(config), size: config.length, mediaType: ociConfig, bytes: () => [config] },
      { ...layer, mediaType: "", bytes: () => archive.given() },
    ],
  });
}

/** The digest and the length of some bytes. */
export async function measure(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const hash = new Bun.CryptoHasher("sha256");
  let size = 0;
  for await (const piece of source) {
    hash.update(piece);
    size += piece.length;
  }
  return { digest: `sha256:${hash.digest("hex")}`, size };
}
