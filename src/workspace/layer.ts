import type { EntryStat, TreeFs } from "../run/tree-fs.ts";
import { joinPath } from "./bytes.ts";
import { travels } from "./same.ts";
import type { TreeCursor } from "./tree-cursor.ts";

/**
 * What a copy-on-write layer says about one path, whatever made it (overlayfs, or a copy that is compared with its manifest).
 * Parents come before their children. A layer is a task's work and may say anything: it is data to be checked, not orders.
 */
export type LayerEntry =
  | {
      readonly kind: "present";
      readonly path: string;
      readonly stat: EntryStat;
      /** A directory that shows nothing of what was there before. */
      readonly replaces: boolean;
      /** Why nothing can be made of this entry. */
      readonly refusal?: string | undefined;
      /** Its extended attributes, where they were read already; those that don't travel are of no matter. */
      readonly attributes?: ReadonlyMap<string, Uint8Array> | undefined;
    }
  | { readonly kind: "deleted"; readonly path: string };

/** A layer, with its content below `tree`. */
export interface Layer {
  readonly tree: TreeCursor;
  entries(): readonly LayerEntry[];
}

const attribute = {
  opaque: "user.overlay.opaque",
  whiteout: "user.overlay.whiteout",
  redirect: "user.overlay.redirect",
  metacopy: "user.overlay.metacopy",
  /** Ours: the true mode of a directory that had to be made readable for its owner. */
  mode: "user.rauha.mode",
} as const;

const knownKeys: ReadonlySet<string> = new Set(Object.values(attribute));
const isKnown = (key: string) => knownKeys.has(key);
const isWanted = (key: string) => travels(key) || knownKeys.has(key);
const ownerAll = 0o700;
/** A task can make deeper trees than the kernel takes paths for (4096 bytes). */
const longestPath = 3800;

/** The upper directory of an overlayfs mount with `userxattr`, as Documentation/filesystems/overlayfs.rst describes it. */
export function overlayLayer(fs: TreeFs, tree: TreeCursor): Layer {
  return { tree, entries: () => walkUpper(fs, tree) };
}

interface Pending {
  readonly path: string;
  /** Below a directory that replaces what was there, everything does. */
  readonly replaced: boolean;
  /** Empty files with an attribute stand for deletions here: overlayfs on a file system without devices. */
  readonly fileWhiteouts: boolean;
}

/** A list and no generator, whose first step costs as much as all the calls for a small layer. */
function walkUpper(fs: TreeFs, tree: TreeCursor): LayerEntry[] {
  const found: LayerEntry[] = [];
  const root = text(tree.attributes("", isKnown).get(attribute.opaque));
  const pending: Pending[] = [{ path: "", replaced: root === "y", fileWhiteouts: root === "x" }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path: parent, replaced, fileWhiteouts } = next;
    for (const name of tree.list(parent)) {
      const path = joinPath(parent, name);
      const stat = fs.stat(tree.directory(parent), name);
      if (stat === undefined) continue;
      if (path.length > longestPath)
        found.push({ kind: "present", path, stat, replaces: false, refusal: "its path is too long" });
      else if (stat.type === "whiteout") found.push({ kind: "deleted", path });
      else if (stat.type === "directory") {
        const { entry, opaque } = directoryEntry(fs, tree, path, stat, replaced);
        found.push(entry);
        pending.push({ path, replaced: entry.replaces, fileWhiteouts: opaque === "x" });
      } else if (stat.type === "file") found.push(fileEntry(tree, path, stat, fileWhiteouts));
      else found.push({ kind: "present", path, stat, replaces: false });
    }
  }
  return found;
}

function directoryEntry(fs: TreeFs, tree: TreeCursor, path: string, stat: EntryStat, replaced: boolean) {
  // A task may take its own right to look into a directory. Ours to look: given back on disk, with the true mode noted first.
  if ((stat.mode & ownerAll) !== ownerAll) openUp(fs, tree, path, stat.mode);
  const attributes = tree.attributes(path, isWanted);
  const noted = text(attributes.get(attribute.mode));
  const mode = noted !== undefined && /^[0-7]{1,4}$/.test(noted) ? Number.parseInt(noted, 8) : stat.mode;
  const refusal = attributes.has(attribute.redirect) ? "it is redirected, which no layer of Rauha's is" : undefined;
  const opaque = text(attributes.get(attribute.opaque));
  const replaces = replaced || opaque === "y";
  const shown = mode === stat.mode ? stat : { ...stat, mode };
  return { entry: { kind: "present", path, stat: shown, replaces, refusal, attributes } as const, opaque };
}

function openUp(fs: TreeFs, tree: TreeCursor, path: string, mode: number): void {
  const parent = tree.parent(path);
  const name = path.slice(path.lastIndexOf("/") + 1);
  fs.setEntryMode(parent, name, mode | ownerAll);
  const fd = fs.directory(parent, name);
  fs.setAttribute(fd, attribute.mode, Buffer.from(mode.toString(8)));
  fs.close(fd);
}

function fileEntry(tree: TreeCursor, path: string, stat: EntryStat, fileWhiteouts: boolean): LayerEntry {
  const attributes = tree.attributes(path, isWanted);
  if (fileWhiteouts && stat.size === 0 && attributes.has(attribute.whiteout)) return { kind: "deleted", path };
  const refusal = attributes.has(attribute.metacopy) ? "its content is not in the layer" : undefined;
  return { kind: "present", path, stat, replaces: false, refusal, attributes };
}

function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString("latin1");
}
