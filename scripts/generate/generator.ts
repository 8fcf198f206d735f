/** A file as a generator wants it on disk; the path is relative to the repository's root. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

/** Derives files from a source of truth: same source, same bytes, nothing written. */
export type Generator = () => readonly GeneratedFile[] | Promise<readonly GeneratedFile[]>;
