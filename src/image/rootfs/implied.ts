import type { EntryStat, TreeFs } from "../../run/tree-fs.ts";
import type { UnpackSummary } from "../unpack/unpack.ts";
import { isOpaque } from "./stacked.ts";

/** A layer, with what its archive says and what it only implies. */
export interface ImplyingLayer {
  readonly tree: string;
  readonly summary: Pick<UnpackSummary, "implied">;
}

/** A directory of a stack as the topmost layer that describes it has it. */
export interface DirectoryMeant {
  /** Byte string, below the root. */
  readonly path: string;
  readonly stat: EntryStat;
  readonly attributes: ReadonlyMap<string, Uint8Array>;
}

/**
 * Directories that an upper layer implies and a lower one describes. Overlayfs shows a directory as its topmost layer has it, and the one
 * that is only implied has made-up attributes; who unpacks layers on top of each other finds those of below. The directories on the way to
 * them are among them, parents first. The lowest layer comes first.
 */
export function meantDirectories(fs: TreeFs, layers: readonly ImplyingLayer[]): DirectoryMeant[] {
  const implied = layers.map(({ summary }) => new Set(summary.implied));
  const paths = new Set(layers.slice(1).flatMap(({ summary }) => summary.implied.flatMap(withParents)));
  const roots = layers.map(({ tree }) => fs.root(tree));
  try {
    const found = [...paths].sort().map((path) => ({ path, ...describedBy(fs, roots, implied, path) }));
    const wanted = new Set(found.flatMap(({ path, differs }) => (differs ? withParents(path) : [])));
    return found.flatMap(({ path, stat, attributes }) =>
      wanted.has(path) && stat !== undefined ? [{ path, stat, attributes }] : [],
    );
  } finally {
    for (const root of roots) fs.close(root);
  }
}

function withParents(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** What the topmost layer that describes a directory says of it; `differs` where another one, that only implies it, lies above. */
function describedBy(
  fs: TreeFs,
  roots: readonly number[],
  implied: readonly ReadonlySet<string>[],
  path: string,
): { readonly differs: boolean; readonly stat: EntryStat | undefined; readonly attributes: Map<string, Uint8Array> } {
  let differs = false;
  for (let layer = roots.length - 1; layer >= 0; layer--) {
    const seen = lookAt(fs, roots[layer] ?? -1, path);
    if (seen === "nothing") continue;
    if (seen === "hidden") break;
    if (implied[layer]?.has(path) !== true) return { differs, stat: seen.stat, attributes: seen.attributes };
    differs = true;
    if (seen.hidesBelow) break;
  }
  return { differs: false, stat: undefined, attributes: new Map() };
}

type Seen =
  | "nothing"
  | "hidden"
  | { readonly stat: EntryStat; readonly attributes: Map<string, Uint8Array>; readonly hidesBelow: boolean };

/** One layer's word on a path: nothing, a directory, or something that hides what lower layers have. */
function lookAt(fs: TreeFs, root: number, path: string): Seen {
  let hidesBelow = false;
  let dir = fs.directory(root, "");
  const parts = path.split("/");
  try {
    for (const [index, name] of parts.entries()) {
      const stat = fs.stat(dir, name);
      if (stat === undefined) return hidesBelow ? "hidden" : "nothing";
      if (stat.type !== "directory") return "hidden";
      hidesBelow ||= isOpaque(fs, dir, name);
      if (index === parts.length - 1) {
        const attributes = fs.attributes(
          dir,
          name,
          (key) => key.startsWith("user.") && !key.startsWith("user.overlay."),
        );
        return { stat, attributes, hidesBelow };
      }
      const next = fs.directory(dir, name);
      fs.close(dir);
      dir = next;
    }
    return "nothing";
  } finally {
    fs.close(dir);
  }
}
