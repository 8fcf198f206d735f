/** A key of a TOML document as its segments: names of keys, and numbers for elements of arrays. */
export type KeyPath = readonly (string | number)[];

/** The path as people write it: `filesystem.writable_paths[2]`, `env.set."a b"`. The empty path is the document. */
export function formatKeyPath(path: KeyPath): string {
  return path.reduce<string>(appendSegment, "");
}

/** One segment more. */
export function appendSegment(prefix: string, segment: string | number): string {
  if (typeof segment === "number") return `${prefix}[${segment}]`;
  const name = /^[A-Za-z0-9_-]+$/.test(segment) ? segment : JSON.stringify(segment);
  return prefix === "" ? name : `${prefix}.${name}`;
}
