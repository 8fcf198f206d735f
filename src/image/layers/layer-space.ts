import { mapKey, type ZoneIds } from "../../run/ids/zone-ids.ts";
import { digestOf } from "../digest.ts";

/** A folder of unpacked layers. What was unpacked with other ids is another tree, and lies in another one. */
export interface LayerSpace {
  /** Absolute. */
  readonly folder: string;
  /** The ids that its files belong to; absent: an ordinary user's one id, or root's 0 to 65535. */
  readonly ids?: Pick<ZoneIds, "uid" | "gid"> | undefined;
}

/** Folders of layers with subordinate ids begin with this. */
export const mappedPrefix = "ids-";
const keyDigits = 32;

/** Where layers lie that are for zones with these ids. */
export function layerSpace(root: string, ids?: LayerSpace["ids"]): LayerSpace {
  const folder = `${root}/layers`;
  if (ids === undefined) return { folder };
  const key = digestOf(new TextEncoder().encode(mapKey(ids))).slice("sha256:".length);
  return { folder: `${folder}/${mappedPrefix}${key.slice(0, keyDigits)}`, ids };
}
