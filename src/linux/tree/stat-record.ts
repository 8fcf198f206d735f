import type { EntryStat, EntryType } from "../../run/tree-fs.ts";

/** Length of `struct statx`, linux/stat.h. */
export const statRecordBytes = 256;
/** STATX_BASIC_STATS. */
export const statMask = 0x7ff;

/** By the type bits of a mode. */
const types = new Map<number, EntryType>([
  [0o010000, "fifo"],
  [0o020000, "device"],
  [0o040000, "directory"],
  [0o060000, "device"],
  [0o100000, "file"],
  [0o120000, "symlink"],
  [0o140000, "socket"],
]);

/** Reads a `struct statx`. */
export function decodeStat(bytes: Uint8Array): EntryStat {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const time = (offset: number) => view.getBigInt64(offset, true) * 1_000_000_000n + BigInt(u32(offset + 8));
  const mode = view.getUint16(28, true);
  const isWhiteout = (mode & 0o170000) === 0o020000 && u32(128) === 0 && u32(132) === 0;
  return {
    type: isWhiteout ? "whiteout" : (types.get(mode & 0o170000) ?? "device"),
    mode: mode & 0o7777,
    size: Number(view.getBigUint64(40, true)),
    uid: u32(20),
    gid: u32(24),
    inode: `${u32(136)}:${u32(140)}:${view.getBigUint64(32, true)}`,
    ctimeNs: time(96),
    mtimeNs: time(112),
  };
}
