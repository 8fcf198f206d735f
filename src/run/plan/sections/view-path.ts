/** Whether `path` is `root` or lies below it. Both absolute and normalised. */
export function isBelow(path: string, root: string): boolean {
  return root === "/" || path === root || path.startsWith(`${root}/`);
}

/** Whether one of `roots` shows `path`. */
export function coveredBy(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => isBelow(path, root));
}
