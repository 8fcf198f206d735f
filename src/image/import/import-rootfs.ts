/** A tar archive of a root file system: becomes the only layer of an image without a configuration of its own. */
import { digestOf } from "../digest.ts";
import { brokenLimit, refuseLayer } from "../layers/layer-limits.ts";
import { ociConfig } from "../media-types.ts";
import { hostPlatform } from "../platform.ts";
import { makeManifest } from "../stored-form.ts";
import type { ImageStore } from "../types.ts";
import type { OpenArchive } from "./open-archive.ts";
import { type Imported, type ImportWish, storeImage } from "./store-parts.ts";

/** The same archive always becomes the same image: nothing of the time or the place is in it. */
export async function importRootfs(
  store: ImageStore,
  archive: OpenArchive,
  { reference, platform = hostPlatform(), policy }: ImportWish & { readonly reference: string },
): Promise<Imported[]> {
  const layer = await measure(archive.given());
  const unpacked = archive.compression === "none" ? layer : await measure(archive.unpacked());
  const broken = brokenLimit(policy.image, unpacked.size, layer.size);
  if (broken !== undefined) refuseLayer(policy, broken, `layer ${layer.digest}`);
  const { os, architecture, variant } = platform;
  const document = {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: {},
    rootfs: { type: "layers", diff_ids: [unpacked.digest] },
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
