import { type EntryStat, type EntryType, TreeError, type TreeFs } from "../run/tree-fs.ts";
import { compareBytes, joinPath } from "./bytes.ts";
import type { Change, ChangeKind } from "./change.ts";
import { joinLinks } from "./hard-links.ts";
import type { Layer, LayerEntry } from "./layer.ts";
import { sameContent } from "./same.ts";
import type { TreeCursor } from "./tree-cursor.ts";

/**
 * Compares a layer with the tree it lies on: its cost follows what the layer holds, never the size of the tree. What was only
 * opened for writing, touched, or written back as it was is no change. In the byte order of paths.
 */
export function collectChanges(fs: TreeFs, layer: Layer, host: TreeCursor): Change[] {
  const changes: Change[] = [];
  const linked: Present[] = [];
  // Directories may have been replaced since the last look.
  layer.tree.forget();
  host.forget();
  for (const entry of layer.entries()) {
    if (entry.kind === "deleted") addDeleted(changes, host, entry.path);
    else {
      addPresent(fs, changes, layer, host, entry);
      if (entry.stat.links > 1 && entry.stat.type === "file") linked.push(entry);
    }
  }
  const all = linked.length > 1 ? joinLinks(changes, linked, host) : changes;
  return all.sort((a, b) => compareBytes(a.path, b.path));
}

function addDeleted(changes: Change[], host: TreeCursor, path: string): void {
  const before = host.stat(path);
  if (before === undefined) return;
  changes.push({ path, kind: "deleted", before, after: undefined, refusal: undefined });
}

type Present = Extract<LayerEntry, { kind: "present" }>;

function addPresent(fs: TreeFs, changes: Change[], layer: Layer, host: TreeCursor, entry: Present): void {
  const { path, stat: after } = entry;
  const before = host.stat(path);
  const refusal = entry.refusal ?? refusalOf(after);
  if (before === undefined) changes.push({ path, kind: "added", before, after, refusal });
  else if (before.type !== after.type) changes.push({ path, kind: "type_changed", before, after, refusal });
  else {
    if (after.type === "directory" && entry.replaces) addHidden(changes, layer, host, path);
    const kind = refusal === undefined ? kindOfChange(fs, layer, host, entry, before) : "modified";
    if (kind !== undefined) changes.push({ path, kind, before, after, refusal });
  }
}

/** What can't be read on the host can't be compared, and is taken as different. */
function kindOfChange(
  fs: TreeFs,
  layer: Layer,
  host: TreeCursor,
  { path, stat: after, attributes }: Present,
  before: EntryStat,
): ChangeKind | undefined {
  try {
    if (!sameContent(fs, path, { tree: layer.tree, stat: after, attributes }, { tree: host, stat: before }))
      return "modified";
    return after.type !== "symlink" && before.mode !== after.mode ? "mode_changed" : undefined;
  } catch (error) {
    if (error instanceof TreeError) return "modified";
    throw error;
  }
}

/** A directory that replaces another deletes all of it that is not there again. */
function addHidden(changes: Change[], layer: Layer, host: TreeCursor, path: string): void {
  const kept = new Set(layer.tree.list(path));
  for (const name of host.list(path)) if (!kept.has(name)) addDeleted(changes, host, joinPath(path, name));
}

const words: Readonly<Partial<Record<EntryType, string>>> = {
  device: "a device node",
  fifo: "a named pipe",
  socket: "a socket",
};

/** What is never made on the host, whoever asks for it. */
function refusalOf(stat: EntryStat): string | undefined {
  const word = words[stat.type];
  if (word !== undefined) return `it is ${word}`;
  return stat.type === "file" && (stat.mode & 0o6000) !== 0 ? "it has a set-user-id or set-group-id bit" : undefined;
}
