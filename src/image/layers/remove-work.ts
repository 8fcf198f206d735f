import { removeTree } from "../../run/remove-tree.ts";
import { errnoName } from "../../run/report/errno.ts";
import { TreeError, type TreeFs } from "../../run/tree-fs.ts";
import { ImageError, refuse } from "../image-error.ts";
import type { ImageStore } from "../types.ts";
import type { LayerSpace } from "./layer-space.ts";

/** Ends the name of what counts as no layer: one in the making, or one that is on its way out. */
export const partialSuffix = ".partial";

const [EPERM, EACCES] = [1, 13];

/** Removes a tree from where layers are made. What belongs to subordinate ids can only be removed in a zone that has them. */
export async function removeWork(store: ImageStore, space: LayerSpace, fs: TreeFs, name: string): Promise<void> {
  const folder = workFolder(space);
  const dir = fs.root(folder);
  try {
    removeTree(fs, dir, name);
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    const isForeign = space.ids !== undefined && (error.errno === EPERM || error.errno === EACCES);
    if (!isForeign) refuseRemoval(`${folder}/${name}`, `${error.step} ${error.path}: ${errnoName(error.errno)}`);
    await emptyForeign(store, space, `${folder}/${name}`);
    removeTree(fs, dir, name);
  } finally {
    fs.close(dir);
  }
}

async function emptyForeign({ host }: ImageStore, { ids }: LayerSpace, directory: string): Promise<void> {
  if (ids === undefined) return;
  const problems = await (await host.images()).empty(directory, ids);
  if (problems.length === 0) return;
  const message = `${directory} belongs to subordinate ids and can't be removed: ${problems.map((each) => each.message).join("; ")}`;
  const hint = `${problems[0]?.hint ?? "the user must have the ids that the layer was unpacked with"}; or: sudo rm -rf ${directory}`;
  throw new ImageError([{ code: problems[0]?.code ?? "setup_failed", message, hint }]);
}

function refuseRemoval(path: string, why: string): never {
  refuse("setup_failed", `${path} can't be removed: ${why}`);
}

/** Where layers are made, with their locks; only the owner may look: a layer holds set-user-id programs of strangers. */
export function workFolder({ folder }: LayerSpace): string {
  return `${folder}/work`;
}
