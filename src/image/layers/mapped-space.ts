/** Folders of layers whose files belong to subordinate ids: they say which, since nobody else can remove what lies in them. */
import { mapKey, parseMapKey } from "../../run/ids/zone-ids.ts";
import { replaceFile } from "../store/layout.ts";
import { namesIn } from "../store/lease.ts";
import type { ImageStore } from "../types.ts";
import { type LayerSpace, layerSpace, mappedPrefix } from "./layer-space.ts";

const mapsName = "maps";
const mapsBytes = 1 << 16;

/** Writes down whose files they are, before the first one is made. */
export function noteMaps({ host }: ImageStore, { folder, ids }: LayerSpace): void {
  const path = `${folder}/${mapsName}`;
  if (ids !== undefined && !("text" in host.io.readText(path, mapsBytes))) replaceFile(path, `${mapKey(ids)}\n`);
}

/** All folders of layers in a store. One that doesn't say its ids has none that we know of. */
export function allSpaces({ root, host }: ImageStore): LayerSpace[] {
  const plain = layerSpace(root);
  const mapped = namesIn(plain.folder).filter((name) => name.startsWith(mappedPrefix));
  return [
    plain,
    ...mapped.map((name) => {
      const folder = `${plain.folder}/${name}`;
      const read = host.io.readText(`${folder}/${mapsName}`, mapsBytes);
      return { folder, ids: "text" in read ? parseMapKey(read.text) : undefined };
    }),
  ];
}
