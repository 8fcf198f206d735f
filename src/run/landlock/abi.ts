/** Landlock's rights as the kernel numbers them, with the ABI that brought each; landlock(7) and linux/landlock.h. */

interface Right {
  readonly bit: number;
  readonly abi: number;
}

/** LANDLOCK_ACCESS_FS_*. */
export const fsRight = {
  execute: { bit: 0, abi: 1 },
  write_file: { bit: 1, abi: 1 },
  read_file: { bit: 2, abi: 1 },
  read_dir: { bit: 3, abi: 1 },
  remove_dir: { bit: 4, abi: 1 },
  remove_file: { bit: 5, abi: 1 },
  make_char: { bit: 6, abi: 1 },
  make_dir: { bit: 7, abi: 1 },
  make_reg: { bit: 8, abi: 1 },
  make_sock: { bit: 9, abi: 1 },
  make_fifo: { bit: 10, abi: 1 },
  make_block: { bit: 11, abi: 1 },
  make_sym: { bit: 12, abi: 1 },
  refer: { bit: 13, abi: 2 },
  truncate: { bit: 14, abi: 3 },
  ioctl_dev: { bit: 15, abi: 5 },
} as const satisfies Record<string, Right>;

export type FsRight = keyof typeof fsRight;

/** LANDLOCK_SCOPE_*. */
export const scopeRight = {
  abstract_unix_socket: { bit: 0, abi: 6 },
  signal: { bit: 1, abi: 6 },
} as const satisfies Record<string, Right>;

/** What each ABI lacks that a later one has, with the Linux version that brought it: what `guarantees` says is missing. */
export const abiSteps: readonly { readonly abi: number; readonly kernel: string; readonly brings: string }[] = [
  { abi: 1, kernel: "5.13", brings: "reading, writing, executing, making and removing files" },
  { abi: 2, kernel: "5.19", brings: "renaming and linking between directories" },
  { abi: 3, kernel: "6.2", brings: "truncating" },
  { abi: 4, kernel: "6.7", brings: "TCP bind and connect" },
  { abi: 5, kernel: "6.10", brings: "ioctl on devices" },
  { abi: 6, kernel: "6.12", brings: "abstract unix sockets and signals" },
];

/** The mask of those rights that this ABI knows. */
export function rightsMask(rights: Iterable<FsRight>, abi: number): number {
  let mask = 0;
  for (const name of rights) {
    const right = fsRight[name];
    if (right.abi <= abi) mask |= 1 << right.bit;
  }
  return mask;
}

/** Every right that this ABI can deny: the ruleset handles them all, so what no rule allows is denied. */
export function handledRights(abi: number): number {
  return rightsMask(Object.keys(fsRight) as FsRight[], abi);
}

/** Every scope that this ABI knows. */
export function handledScopes(abi: number): number {
  return Object.values(scopeRight).reduce((mask, right) => (right.abi <= abi ? mask | (1 << right.bit) : mask), 0);
}

/** In words, what this ABI can't deny; empty when it has all that Rauha uses. */
export function missingInAbi(abi: number): string[] {
  return abiSteps.filter((step) => step.abi > abi).map((step) => `${step.brings} (Linux ${step.kernel})`);
}

const readTree: readonly FsRight[] = ["execute", "read_file", "read_dir"];
const readFile: readonly FsRight[] = ["execute", "read_file"];
const writeTree: readonly FsRight[] = [
  ...readTree,
  "write_file",
  "remove_dir",
  "remove_file",
  "make_dir",
  "make_reg",
  "make_sock",
  "make_fifo",
  "make_sym",
  "refer",
  "truncate",
];
const device: readonly FsRight[] = ["read_file", "write_file", "truncate", "ioctl_dev"];

const proc: readonly FsRight[] = [...readTree, "write_file", "truncate"];

/** What a place of the zone's view may be used for. */
export const accessRights = {
  readTree,
  readFile,
  writeTree,
  device,
  proc,
  list: ["read_dir"] as readonly FsRight[],
} as const;
