import type { HostIo } from "../run/backend.ts";

/**
 * Whether a repository's `.git` is something else than a directory, as in a linked worktree or a submodule. Asked without opening it: a
 * pipe of that name would wait for a writer.
 */
export function hasGitFile(repository: string, io: HostIo): boolean {
  const read = io.readText(`${repository}/.git/.`, 1);
  return "problem" in read && read.problem.includes("ENOTDIR");
}
