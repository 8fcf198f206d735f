import type { UnpackLimits } from "../unpack/limits.ts";
import type { UnpackReport } from "../unpack/report.ts";

/**
 * Unpacks an archive into an empty directory, confined: what the archive's bytes make the unpacking program do can't reach anything but
 * that directory. `archive` is out of its compression, and is read as far as the program wants to have it. Throws an ImageError when
 * the confinement can't be set up.
 */
export type Unpack = (
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  options: { readonly limits: UnpackLimits },
) => Promise<UnpackReport>;
