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

/** Reads a `struct statx`, as words of 32 bits; both machines are little-endian. */
export function decodeStat(words: Uint32Array): EntryStat {
  const [links, uid, gid, mode] = [words[4] ?? 0, words[5] ?? 0, words[6] ?? 0, (words[7] ?? 0) & 0xffff];
  const isWhiteout = (mode & 0o170000) === 0o020000 && words[32] === 0 && words[33] === 0;
  return {
    type: isWhiteout ? "whiteout" : (types.get(mode & 0o170000) ?? "device"),
    mode: mode & 0o7777,
    size: (words[11] ?? 0) * 2 ** 32 + (words[10] ?? 0),
    links,
    uid,
    gid,
    // Exact: overlayfs makes numbers that need all 64 bits.
    inode: `${words[34]}:${words[35]}:${words[9] === 0 ? "" : `${words[9]}-`}${words[8]}`,
    ctimeNs: time(words, 24),
    mtimeNs: time(words, 28),
  };
}

/** Seconds, with a sign, and nanoseconds. */
function time(words: Uint32Array, at: number): bigint {
  const seconds = ((words[at + 1] ?? 0) | 0) * 2 ** 32 + (words[at] ?? 0);
  return BigInt(seconds) * 1_000_000_000n + BigInt(words[at + 2] ?? 0);
}
