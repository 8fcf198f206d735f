import { watch } from "../plan/contract.ts";
import type { Arch } from "../seccomp/profile.ts";
import { syscallTable } from "../seccomp/syscalls.ts";

/** What a call does with its path or address. */
export type UseKind = "open" | "execute" | "look" | "enter" | "make-dir" | "make" | "change" | "connect" | "bind";

interface Watched {
  readonly kind: UseKind;
  /** Arguments, counted from 0: the path or address, the descriptor that a relative path starts from, the flags. */
  readonly subject: number;
  readonly directory?: number;
  readonly flags?: number;
}

const at = (kind: UseKind, subject: number, directory?: number, flags?: number): Watched => ({
  kind,
  subject,
  ...(directory === undefined ? {} : { directory }),
  ...(flags === undefined ? {} : { flags }),
});

/** Calls by which a task uses places of the file system and sockets; of two paths, the one that is made. */
const watched: Readonly<Record<string, Watched>> = {
  open: at("open", 0, undefined, 1),
  openat: at("open", 1, 0, 2),
  openat2: at("open", 1, 0),
  creat: at("make", 0),
  execve: at("execute", 0),
  execveat: at("execute", 1, 0),
  stat: at("look", 0),
  lstat: at("look", 0),
  newfstatat: at("look", 1, 0),
  fstatat: at("look", 1, 0),
  statx: at("look", 1, 0),
  access: at("look", 0),
  faccessat: at("look", 1, 0),
  faccessat2: at("look", 1, 0),
  readlink: at("look", 0),
  readlinkat: at("look", 1, 0),
  chdir: at("enter", 0),
  mkdir: at("make-dir", 0),
  mkdirat: at("make-dir", 1, 0),
  link: at("make", 1),
  linkat: at("make", 3, 2),
  symlink: at("make", 1),
  symlinkat: at("make", 2, 1),
  rename: at("make", 1),
  renameat: at("make", 3, 2),
  renameat2: at("make", 3, 2),
  unlink: at("change", 0),
  unlinkat: at("change", 1, 0),
  rmdir: at("change", 0),
  truncate: at("change", 0),
  connect: at("connect", 1),
  bind: at("bind", 1),
};

/** The calls that a learning zone's filter asks about, and the op `watch`'s entries for them. */
export function watchedCalls(
  arch: Arch,
  allowed: ReadonlySet<string>,
): { readonly names: readonly string[]; readonly calls: Uint8Array } {
  const { numbers } = syscallTable(arch);
  const names = Object.keys(watched).filter((name) => allowed.has(name) && numbers.has(name));
  const entries = names.flatMap((name) => {
    const { kind, subject, directory = watch.none, flags = watch.none } = watched[name] as Watched;
    const isAddress = kind === "connect" || kind === "bind";
    return [numbers.get(name) ?? 0, isAddress ? watch.address : watch.path, subject, directory, flags];
  });
  return { names, calls: new Uint8Array(Uint32Array.from(entries).buffer) };
}

/** What a watched call does. */
export function useKind(name: string): UseKind | undefined {
  return watched[name]?.kind;
}
