import { isBelow, normalPath } from "../run/absolute-path.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { SandboxRequest } from "../run/request.ts";
import type { TreeFs } from "../run/tree-fs.ts";
import { gitLinkOf, type OutsideGit } from "./git-link.ts";

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
  const { target, links } = placeInZone(link, repo.path, repo.target ?? repo.path);
  const places = [target, ...links.map((each) => each.target)];
  if (view.some((entry) => places.some((place) => isBelow(place, entry.target) || isBelow(entry.target, place))))
    return { request, warnings: [] };
  const { origin } = repo;
  const kind = repo.mode === "overlay" ? "overlay-bind" : "ro-bind";
  const shown = { kind, source: link.path, target, origin } as const;
  const symlinks = links.map((each) => ({ kind: "symlink", ...each, origin }) as const);
  return { request: { ...request, view: [...view, shown, ...symlinks] }, warnings: [] };
}

/** In an image zone, the superproject that a submodule seems to lie in. */
const superproject = "/.rauha-git";

/**
 * Where git finds its directory. In an image zone the workspace is not at its own path, and what git has written down (`.git`,
 * `core.worktree`) is mostly relative: so the superproject's shape is made once more beside it, with links for the workspace and for
 * what `.git` leads to from there.
 */
function placeInZone(
  { path, pointer, entry, worktree }: OutsideGit,
  host: string,
  inside: string,
): { readonly target: string; readonly links: readonly { readonly target: string; readonly value: string }[] } {
  if (inside === host) return { target: path, links: [] };
  const up = worktree === undefined || worktree.startsWith("/") ? 0 : levelsUp(worktree);
  const target = up === 0 ? path : `${superproject}/${path.split("/").slice(-up).join("/")}`;
  const links: { target: string; value: string }[] = [];
  const pointed = normalPath(pointer.startsWith("/") ? pointer : `${inside}/${pointer}`);
  const shown = `${target}${entry.slice(path.length)}`;
  if (pointed !== shown) links.push({ target: pointed, value: shown });
  if (worktree !== undefined) {
    const seen = normalPath(worktree.startsWith("/") ? worktree : `${target}/${worktree}`);
    if (seen !== inside) links.push({ target: seen, value: inside });
  }
  return { target, links };
}

function levelsUp(path: string): number {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const first = parts.findIndex((part) => part !== "..");
  return first < 0 ? parts.length : first;
}
