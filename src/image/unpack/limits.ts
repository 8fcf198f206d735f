/** What a layer may hold at most. A real image stays far below; what is over is refused before it fills the disk. */
export interface UnpackLimits {
  /** Bytes of the archive out of its compression. */
  readonly archiveBytes: number;
  /** Bytes of one file as its size says, holes included. */
  readonly fileBytes: number;
  /** Files, directories, links and whiteouts together. */
  readonly entries: number;
  /** How many times larger the archive may be than its packed form; asked once it is larger than `ratioFloorBytes`. */
  readonly ratio: number;
  readonly ratioFloorBytes: number;
}

const gibi = 1 << 30;

export const unpackLimits: UnpackLimits = {
  archiveBytes: 64 * gibi,
  fileBytes: 64 * gibi,
  entries: 2_000_000,
  ratio: 300,
  ratioFloorBytes: gibi / 4,
};

/** Lengths in bytes that the kernel sets (NAME_MAX, PATH_MAX, XATTR_*), and some of our own. */
export const nameLimits = {
  component: 255,
  path: 4095,
  /** Directories deep: more would cost one open descriptor each when the tree is removed. */
  depth: 255,
  /** All extended attributes and long names of one entry. */
  extendedHeader: 1 << 20,
  attributeValue: 65536,
  sparsePieces: 65536,
} as const;
