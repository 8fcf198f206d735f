/** What a policy lets a layer be (its section `image`), and how what is over is refused. A warm start asks, too: nothing is loaded here. */
import { type Policy, policyOrigin } from "../../run/policy/policy.ts";
import { formatSize } from "../../run/units.ts";
import { ImageError } from "../image-error.ts";
import type { Descriptor } from "../manifest.ts";
import type { LayerDescriptor } from "../types.ts";
import type { LayerLimit } from "../unpack/refusal.ts";
import type { UnpackSummary } from "../unpack/unpack.ts";

/** Less than this is no bomb, however well it was packed: `layer_ratio` is not asked. */
export const ratioFloorBytes = 256 * 1024 ** 2;

/** The limit that an archive of so many bytes breaks, given the size of its packed form. */
export function brokenLimit(
  { layerSizeBytes, layerRatio }: Policy["image"],
  archiveBytes: number,
  packedBytes: number,
): LayerLimit | undefined {
  if (archiveBytes > layerSizeBytes) return "layer_size";
  return archiveBytes > ratioFloorBytes && archiveBytes > packedBytes * layerRatio ? "layer_ratio" : undefined;
}

/** Refuses a layer that is in the store unpacked: under a laxer policy it may have been more than this one allows. */
export function checkUnpacked(policy: Policy, layer: LayerDescriptor, summary: UnpackSummary): void {
  const { layerEntries, layerSizeBytes } = policy.image;
  const limit =
    summary.entries > layerEntries
      ? "layer_entries"
      : summary.largestFile > layerSizeBytes
        ? "layer_size"
        : brokenLimit(policy.image, summary.archiveBytes, layer.size);
  if (limit !== undefined) refuseLayer(policy, limit, `layer ${layer.digest}, unpacked under another policy`);
}

/** Refuses layers of which the packed form alone is too large, before it is fetched. */
export function checkPacked(policy: Policy, layers: readonly Pick<Descriptor, "digest" | "size">[]): void {
  const over = layers.find(({ size }) => size > policy.image.layerSizeBytes);
  if (over !== undefined) refuseLayer(policy, "layer_size", `layer ${over.digest}, packed`);
}

/** Throws the refusal of what is over a limit; `what` names the layer, and the entry where it is known. */
export function refuseLayer(policy: Policy, limit: LayerLimit, what: string): never {
  const { layerSizeBytes, layerEntries, layerRatio } = policy.image;
  const words = {
    layer_size: `larger than ${formatSize(layerSizeBytes)}`,
    layer_entries: `more than ${layerEntries} entries`,
    layer_ratio: `more than ${layerRatio} times its packed size: a bomb`,
  };
  const message = `${what}: refused: ${words[limit]}`;
  const hint = `if the image can be trusted, a policy with a larger image.${limit} takes it`;
  throw new ImageError([{ code: "invalid_image", message, hint, origin: policyOrigin(policy, `image.${limit}`) }]);
}
