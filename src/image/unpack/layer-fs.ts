import type { TreeFs } from "../../run/tree-fs.ts";

/** What unpacking needs of a file tree besides looking and writing: everything is about one entry of an open directory. */
export interface LayerFs extends TreeFs {
  /** Another name for an entry; a symlink gets one itself, it is not followed. */
  makeLink(fromDir: number, from: string, toDir: number, to: string): void;
  /** Of an entry itself, not of what it points to. */
  setEntryOwner(dir: number, name: string, uid: number, gid: number): void;
  setEntryTime(dir: number, name: string, mtimeNs: bigint): void;
  /** Where the next write goes. */
  seek(fd: number, offset: number): void;
  setSize(fd: number, size: number): void;
}
