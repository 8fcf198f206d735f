import type { Arch } from "./profile.ts";
import { aarch64, foreign, x86_64 } from "./syscalls.gen.ts";

/** The system calls of one architecture, up to the newest Linux this version knows. */
export interface SyscallTable {
  readonly numbers: ReadonlyMap<string, number>;
  /** By number; calls that never were are missing. */
  readonly names: ReadonlyMap<number, string>;
  readonly newest: number;
}

const packed: Readonly<Record<Arch, string>> = { x86_64, aarch64 };
const tables = new Map<Arch, SyscallTable>();

/** Names and numbers of the system calls of an architecture; unpacked once. */
export function syscallTable(arch: Arch): SyscallTable {
  const known = tables.get(arch);
  if (known) return known;
  const table = unpack(packed[arch]);
  tables.set(arch, table);
  return table;
}

/** The name of a system call as `enforcement_events` shows it. */
export function syscallName(arch: Arch, number: number): string {
  return syscallTable(arch).names.get(number) ?? `syscall_${number}`;
}

/** Every name that is a system call on an architecture of ours. */
export function nativeSyscalls(): Set<string> {
  return new Set([...syscallTable("x86_64").numbers.keys(), ...syscallTable("aarch64").numbers.keys()]);
}

/** Names that are system calls elsewhere only: of 32-bit programs or of other processors. */
export function foreignSyscalls(): Set<string> {
  return new Set(foreign.split(" "));
}

/** Names in the order of their numbers; `@424` sets the number of the next name. */
function unpack(text: string): SyscallTable {
  const numbers = new Map<string, number>();
  const names = new Map<number, string>();
  let next = 0;
  for (const word of text.split(" ")) {
    if (word.startsWith("@")) {
      next = Number(word.slice(1));
      continue;
    }
    numbers.set(word, next);
    names.set(next, word);
    next += 1;
  }
  return { numbers, names, newest: next - 1 };
}
