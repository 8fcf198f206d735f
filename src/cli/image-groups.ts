import type { SandboxRequest } from "../run/request.ts";

/** Groups of the caller's besides his first. */
export function otherGroups(): readonly number[] {
  return (process.getgroups?.() ?? []).filter((group) => group !== process.getgid?.());
}

/**
 * Said where a task with subordinate ids has the image's groups and not the caller's (setgroups(2) can't set both), and files of the host
 * are shown that he may be able to write only by one of his.
 */
export function groupsLost({ image, user, repo, view }: SandboxRequest, own: readonly number[]): string | undefined {
  const groups = user === undefined ? (image?.user.groups ?? []) : [];
  const isShown = repo !== undefined || view.some(({ kind }) => kind.endsWith("bind"));
  if (groups.length === 0 || own.length === 0 || !isShown) return undefined;
  return "the task has the image's groups, not yours: what you may write only by a group of yours, it can't; --user UID:GID keeps yours";
}
