import type { Diagnostic } from "../run/diagnostic.ts";
import type { SandboxRequest } from "../run/request.ts";
import type { TreeFs } from "../run/tree-fs.ts";
import { isInside } from "./bytes.ts";
import { gitLinkOf } from "./git-link.ts";

/**
 * The request with the directory that git works with, where the workspace is a linked worktree or a submodule and that lies outside:
 * copy-on-write like the workspace itself; read-only where the workspace is shared, since hooks and configuration in it are run outside.
 */
export function withGitDirectory(
  fs: TreeFs,
  request: SandboxRequest,
): { readonly request: SandboxRequest; readonly warnings: readonly Diagnostic[] } {
  const { repo, view } = request;
  if (repo === undefined) return { request, warnings: [] };
  const link = gitLinkOf(fs, repo.path);
  if (link.kind === "none") return { request, warnings: [] };
  if (link.kind === "refused") {
    const message = `${repo.path}/.git names ${link.path}, which the zone is not shown: ${link.why}`;
    const hint = `if git has to work in the zone, add --overlay-bind ${link.path}`;
    return { request, warnings: [{ code: "unenforceable", message, hint, origin: repo.origin }] };
  }
  const { path } = link;
  if (view.some((entry) => isInside(path, entry.target) || isInside(entry.target, path)))
    return { request, warnings: [] };
  const kind = repo.mode === "overlay" ? "overlay-bind" : "ro-bind";
  return {
    request: { ...request, view: [...view, { kind, source: path, target: path, origin: repo.origin }] },
    warnings: [],
  };
}
