import { idMapOps } from "../run/ids/map-ops.ts";
import { hasId, lastId, mapsFor, type OwnIds } from "../run/ids/zone-ids.ts";
import type { ReadyImage } from "../run/image.ts";
import type { ImageUser } from "../run/request.ts";
import { refuse } from "./image-error.ts";
import { type LayerSpace, layerSpace } from "./layers/layer-space.ts";

/** Makes the image ready with the layers of one space; `user` where it is known already who the image's user is. */
export type ReadyIn = (space: LayerSpace, user?: ImageUser) => Promise<ReadyImage>;

/**
 * An image for a zone with subordinate ids, in which the task's own id is the caller's: so he can do with his files on the host what he
 * can without a zone. Who the image's user is stands in its files: they are looked up in the layers for root.
 */
export async function mappedImage(
  own: OwnIds,
  root: string,
  given: { readonly uid: number; readonly gid: number } | undefined,
  readyIn: ReadyIn,
): Promise<ReadyImage> {
  const readyFor = async (uid: number, gid: number, known?: ImageUser) => {
    const ids = mapsFor(own, uid, gid);
    return { ids, image: await readyIn(layerSpace(root, ids), known) };
  };
  let { ids, image } = await readyFor(given?.uid ?? 0, given?.gid ?? 0);
  const named = image.user;
  if (given === undefined && (named.uid !== 0 || named.gid !== 0)) {
    ({ ids, image } = await readyFor(named.uid, named.gid, named));
    const unknown = named.groups.find((group) => !hasId(ids.gid, group));
    if (unknown !== undefined) {
      const message = `the image's user is in group ${unknown}, which is none of the zone's ids, 0 to ${lastId(ids.gid)}`;
      refuse("unenforceable", message, "a larger range in /etc/subgid, or --user UID:GID");
    }
  }
  return { ...image, maps: idMapOps(ids) };
}
