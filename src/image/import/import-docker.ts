/** What `docker save` and `podman save` write: `manifest.json` names configurations, layers and tags of one or more images. */
import { decodeConfig } from "../config.ts";
import { digestOf } from "../digest.ts";
import { refuse } from "../image-error.ts";
import { JsonField } from "../json-field.ts";
import { checkPacked } from "../layers/layer-limits.ts";
import { maxLayers } from "../manifest.ts";
import { ociConfig } from "../media-types.ts";
import { readReference } from "../reference.ts";
import { makeManifest } from "../stored-form.ts";
import type { ImageStore } from "../types.ts";
import type { ArchivedFile } from "./archive-scan.ts";
import { measure } from "./import-rootfs.ts";
import { compressionOf, type OpenArchive } from "./open-archive.ts";
import { type BlobSource, gather, type Imported, type ImportWish, storeImage } from "./store-parts.ts";

const maxImages = 1000;

/** Imports all images of an archive of `docker save`. Throws an ImageError for what it refuses; then nothing of it has a name. */
export async function importDocker(store: ImageStore, archive: OpenArchive, wish: ImportWish): Promise<Imported[]> {
  const file = fileOf(archive, "manifest.json");
  const bytes = await gather(archive.part(file.offset, file.size), "manifest.json");
  const images = parseList(bytes).list(maxImages);
  if (images.length === 0) refuse("invalid_image", "manifest.json names no image");
  if (images.length > 1 && wish.reference !== undefined) {
    refuse("invalid_argument", `the archive holds ${images.length} images, and one name was given`, "leave REF out");
  }
  const imported: Imported[] = [];
  for (const image of images) imported.push(...(await importOne(store, archive, image, wish)));
  return imported;
}

function parseList(bytes: Uint8Array): JsonField {
  try {
    return new JsonField("manifest.json", JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return refuse("invalid_image", "manifest.json is not JSON in UTF-8");
  }
}

async function importOne(
  store: ImageStore,
  archive: OpenArchive,
  image: JsonField,
  { reference, policy }: ImportWish,
): Promise<Imported[]> {
  const tags = image.get("RepoTags").texts(1000, 1024);
  const references = reference !== undefined ? [reference] : tags.map((tag) => readReference(tag).text);
  if (references.length === 0) {
    refuse("invalid_argument", "the archive doesn't say the image's name", "rauha image import FILE REF");
  }
  const configFile = fileOf(archive, image.get("Config").text());
  const config = await gather(archive.part(configFile.offset, configFile.size), "the configuration");
  const decoded = decodeConfig(config, image.get("Config").text());
  const names = image.get("Layers").texts(maxLayers, 4096);
  if (names.length !== decoded.diffIds.length) {
    refuse("invalid_image", `manifest.json names ${names.length} layers, the configuration ${decoded.diffIds.length}`);
  }
  const layers: (BlobSource & { compression: ReturnType<typeof compressionOf> })[] = [];
  for (const [index, name] of names.entries()) {
    layers.push(await layerOf(archive, fileOf(archive, name), decoded.diffIds[index] ?? ""));
  }
  checkPacked(policy, layers);
  const digest = digestOf(config);
  return storeImage(store, {
    references,
    platform: decoded,
    chain: [makeManifest({ digest, size: config.length }, layers)],
    blobs: [{ digest, size: config.length, mediaType: ociConfig, bytes: () => [config] }, ...layers],
  });
}

/** What is not packed has the digest that the configuration says, or is refused while it is stored. */
async function layerOf(archive: OpenArchive, { offset, size }: ArchivedFile, diffId: string) {
  const bytes = () => archive.part(offset, size);
  const [head] = archive.part(offset, Math.min(size, 4));
  const compression = compressionOf(head ?? new Uint8Array());
  const digest = compression === "none" ? diffId : (await measure(bytes())).digest;
  return { digest, size, compression, mediaType: "", bytes };
}

/** A file of the archive by its name, or by another name of it. */
export function fileOf({ scan }: OpenArchive, given: string): ArchivedFile {
  let name = given.replace(/^\.\//, "");
  for (let hop = 0; hop < 8; hop++) {
    const file = scan.files.get(name);
    if (file !== undefined) return file;
    name = scan.links.get(name) ?? "";
  }
  return refuse("invalid_image", `the archive names ${JSON.stringify(given.slice(0, 100))} and doesn't hold it`);
}
