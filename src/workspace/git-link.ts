import { isBelow } from "../run/absolute-path.ts";
import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import { readWhole } from "./files.ts";

/** What a repository's `.git` leads to. */
export type GitLink =
  /** Nothing has to be shown: git's directory is in the repository, or there is none. */
  | { readonly kind: "none" }
  /** Git's directory lies outside, and belongs to this repository. */
  | OutsideGit
  /** It names a directory that is not this repository's, which nobody is shown. */
  | { readonly kind: "refused"; readonly path: string; readonly why: string };

export interface OutsideGit {
  readonly kind: "outside";
  /** What has to be shown. */
  readonly path: string;
  /** What `.git` says, and the directory it leads to: `path`, or in a worktree an entry in it. */
  readonly pointer: string;
  readonly entry: string;
  /** A submodule's `core.worktree`. */
  readonly worktree?: string | undefined;
}

const none: GitLink = { kind: "none" };
const pointerBytes = 4096;
const configBytes = 1 << 20;

/**
 * The directory that git works with in a linked worktree or a submodule, where `.git` is a file that names it (gitrepository-layout(5)).
 *
 * Whoever wrote that file may have named any directory of the host, so the directory has to say by itself that it is this
 * repository's: a worktree's entry lies in `worktrees/` of a git directory and names the `.git` file; a submodule's directory has the
 * repository as its `core.worktree`. A git directory whose owner did not make it for this repository says neither.
 */
export function gitLinkOf(fs: TreeFs, repository: string): GitLink {
  const real = realDirectory(fs, repository);
  const pointer = real === undefined ? undefined : pointerIn(fs, real);
  if (real === undefined || pointer === undefined) return none;
  const named = resolve(real, pointer);
  const directory = realDirectory(fs, named);
  if (directory === undefined) return { kind: "refused", path: named, why: "it can't be opened as a directory" };
  if (isBelow(directory, real) || isBelow(real, directory)) return none;
  const why = (words: string): GitLink => ({ kind: "refused", path: named, why: words });
  const common = textIn(fs, directory, "commondir", pointerBytes);
  if (common === undefined) {
    const worktree = worktreeIn(textIn(fs, directory, "config", configBytes) ?? "");
    if (worktree === undefined || realDirectory(fs, resolve(directory, worktree)) !== real)
      return why("it does not say that it is this repository's (core.worktree)");
    return isGitDirectory(fs, directory)
      ? { kind: "outside", path: directory, pointer, entry: directory, worktree }
      : why("it is no git directory");
  }
  const shared = realDirectory(fs, resolve(directory, common.trim()));
  if (shared === undefined || !isEntryOf(directory, `${shared}/worktrees`)) return why("it is no worktree's entry");
  const back = textIn(fs, directory, "gitdir", pointerBytes)?.trim() ?? "";
  const home = back.endsWith("/.git")
    ? realDirectory(fs, resolve(directory, back.slice(0, -"/.git".length)))
    : undefined;
  if (home !== real) return why("it is another worktree's entry");
  if (!isGitDirectory(fs, shared)) return why("it belongs to no git directory");
  if (isBelow(real, shared) || isBelow(shared, real)) return none;
  return { kind: "outside", path: shared, pointer, entry: directory };
}

/** The path that `.git` names, where that is a file. */
function pointerIn(fs: TreeFs, directory: string): string | undefined {
  return /^gitdir: ([^\0\n]+?)[\r\n]*$/.exec(textIn(fs, directory, ".git", pointerBytes) ?? "")?.[1];
}

/** A small file's text; undefined where there is none, or it can't be read. */
function textIn(fs: TreeFs, directory: string, name: string, limit: number): string | undefined {
  return within(fs, directory, (fd) => {
    const bytes = readWhole(fs, fd, name, limit);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  });
}

/** As git itself tells a git directory. */
function isGitDirectory(fs: TreeFs, directory: string): boolean {
  const types = within(fs, directory, (fd) => ["HEAD", "objects", "refs"].map((name) => fs.stat(fd, name)?.type));
  return types?.join() === "file,directory,directory";
}

function realDirectory(fs: TreeFs, path: string): string | undefined {
  return within(fs, path, (fd) => fs.pathOf(fd));
}

/** Undefined where something can't be opened or read: then nothing is proven. */
function within<T>(fs: TreeFs, path: string, look: (fd: number) => T): T | undefined {
  try {
    const fd = fs.root(path);
    try {
      return look(fd);
    } finally {
      fs.close(fd);
    }
  } catch (error) {
    if (error instanceof TreeError) return undefined;
    throw error;
  }
}

/** `core.worktree` of a git configuration. */
function worktreeIn(config: string): string | undefined {
  let section = "";
  let found: string | undefined;
  for (const line of config.split("\n")) {
    const header = /^\s*\[([^\]]*)\]/.exec(line)?.[1];
    if (header !== undefined) section = header.trim().toLowerCase();
    const value = /^\s*worktree\s*=\s*(.*?)\s*$/i.exec(line)?.[1];
    if (section === "core" && value !== undefined) found = value.replace(/^"(.*)"$/, "$1");
  }
  return found;
}

function resolve(from: string, path: string): string {
  return path.startsWith("/") ? path : `${from}/${path}`;
}

function isEntryOf(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`) && !path.slice(directory.length + 1).includes("/");
}
