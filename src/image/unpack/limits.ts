/** What the zone that unpacks a layer holds its archive to: numbers of a policy. What is over is refused before it fills the disk. */
export interface UnpackLimits {
  /** Bytes of one file as its size says, holes included. */
  readonly fileBytes: number;
  /** Files, directories, links and whiteouts together. */
  readonly entries: number;
}

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
