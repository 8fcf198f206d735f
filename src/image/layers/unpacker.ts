import type { ImplyingLayer } from "../rootfs/implied.ts";
import type { UnpackLimits } from "../unpack/limits.ts";
import type { UnpackReport } from "../unpack/report.ts";
import type { LayerSpace } from "./layer-space.ts";

/**
 * Unpacks an archive into an empty directory, confined: what the archive's bytes make the unpacking program do can't reach anything but
 * that directory; its files belong to `ids`, where they are given. `archive` is out of its compression, and is read as far as the program wants to have it. Throws an ImageError when
 * the confinement can't be set up.
 */
export type Unpack = (
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  options: { readonly limits: UnpackLimits; readonly ids?: LayerSpace["ids"] },
) => Promise<UnpackReport>;

/**
 * Makes the directories that some layers imply, as lower ones describe them, in an empty directory: where all of them belong to
 * subordinate ids.
 */
export type Join = (
  layers: readonly ImplyingLayer[],
  directory: string,
  ids: NonNullable<LayerSpace["ids"]>,
) => Promise<UnpackReport>;
