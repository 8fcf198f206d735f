export type EntryKind = "file" | "directory" | "symlink" | "hardlink" | "device" | "fifo";

/** One entry of a layer's archive, decoded and not yet judged. Names are byte strings: each character stands for one byte. */
export interface TarEntry {
  readonly kind: EntryKind;
  /** As written. */
  readonly name: string;
  /** Of a symlink: its value; of a hard link: the name of the entry it is another name of. */
  readonly link: string;
  /** 0o7777 at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Of a file: its length, holes included. */
  readonly size: number;
  /** Where the bytes of a file with holes go, in order; undefined where there are no holes. */
  readonly pieces: readonly SparsePiece[] | undefined;
  readonly attributes: ReadonlyMap<string, Uint8Array>;
}

export interface SparsePiece {
  readonly offset: number;
  readonly length: number;
}
