import type { EntryStat, TreeFs } from "../run/tree-fs.ts";
import { equalBytes } from "./bytes.ts";
import type { TreeCursor } from "./tree-cursor.ts";

/** Whether an attribute belongs to the user; overlayfs' and Rauha's own, and what the kernel keeps, don't travel. */
export function travels(key: string): boolean {
  if (key === "system.posix_acl_access" || key === "system.posix_acl_default") return true;
  return key.startsWith("user.") && !key.startsWith("user.overlay.") && !key.startsWith("user.rauha.");
}

/** One of two entries at a path. */
interface Side {
  readonly tree: TreeCursor;
  readonly stat: EntryStat;
  readonly attributes?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** Whether two entries of one type hold the same: bytes, a symlink's value, and the user's attributes. Modes are not compared. */
export function sameContent(fs: TreeFs, path: string, layer: Side, host: Side): boolean {
  const { type } = layer.stat;
  if (type !== host.stat.type) return false;
  if (type === "symlink") return layer.tree.readLink(path) === host.tree.readLink(path);
  if (type === "directory") return sameAttributes(path, layer, host);
  if (type !== "file" || layer.stat.size !== host.stat.size) return false;
  return sameBytes(fs, path, layer, host.tree) && sameAttributes(path, layer, host);
}

function sameAttributes(path: string, layer: Side, host: Side): boolean {
  const left = layer.attributes ?? layer.tree.attributes(path, travels);
  const right = host.tree.attributes(path, travels);
  let known = 0;
  for (const [key, value] of left) {
    if (!travels(key)) continue;
    const other = right.get(key);
    if (other === undefined || !equalBytes(value, other)) return false;
    known++;
  }
  return known === right.size;
}

const chunkBytes = 1 << 18;

function sameBytes(fs: TreeFs, path: string, layer: Side, host: TreeCursor): boolean {
  const size = Math.min(chunkBytes, layer.stat.size + 1);
  const [left, right] = [new Uint8Array(size), new Uint8Array(size)];
  const one = layer.tree.openFile(path);
  try {
    const other = host.openFile(path);
    try {
      for (let offset = 0; ; ) {
        const [a, b] = [fs.readAt(one, left, offset), fs.readAt(other, right, offset)];
        if (!equalBytes(left.subarray(0, a), right.subarray(0, b))) return false;
        if (a === 0) return true;
        offset += a;
      }
    } finally {
      fs.close(other);
    }
  } finally {
    fs.close(one);
  }
}
