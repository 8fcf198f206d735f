/**
 * Files of a repository that run later, outside the zone: hooks, start-up files, editor tasks, agent commands (SPEC section 6).
 * In `rw` mode each is read-only unless the policy's `writable_paths` lists it; `diff` and `apply` name them with a warning.
 */
export const laterRunFiles: readonly string[] = [
  ".git/hooks",
  ".git/config",
  // Each of them leads git to a configuration of its own, and with it to commands.
  ".git/commondir",
  ".git/config.worktree",
  ".git/modules",
  ".git/worktrees",
  ".bash_login",
  ".bash_profile",
  ".bashrc",
  ".profile",
  ".zprofile",
  ".zshenv",
  ".zshrc",
  ".mcp.json",
  ".vscode",
  ".idea",
  ".claude/commands",
  ".claude/agents",
];

/** Directories whose rename would take a protected path away: each becomes a mount point, which can't be renamed. */
export const pinnedDirectories: readonly string[] = [".git", ".claude"];

/**
 * In a worktree or a submodule, a file that names the directory git works with: whoever writes it chooses the configuration. As a
 * directory it has to stay writable.
 */
export const gitPointer = ".git";

/** Those of the list that a change at `path` (relative to the workspace, byte string or text) reaches. */
export function laterRunReached(path: string): readonly string[] {
  // All of them begin with a dot, and few of a task's changes do.
  if (!path.startsWith(".")) return [];
  return laterRunFiles.filter((file) => path === file || path.startsWith(`${file}/`) || file.startsWith(`${path}/`));
}
