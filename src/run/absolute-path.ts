/** Absolute paths by their words alone: nothing is opened, and no symbolic link is followed. */

/** The path without `.`, `..` and empty parts, and without a slash at its end. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Whether `path` is `root` or lies below it. Both are normal. */
export function isBelow(path: string, root: string): boolean {
  return root === "/" || path === root || path.startsWith(`${root}/`);
}

/** Whether one of `roots` shows `path`. */
export function coveredBy(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => isBelow(path, root));
}
