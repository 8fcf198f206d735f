import type { EntryStat } from "../run/tree-fs.ts";

/** How a path differs from the host's. */
export type ChangeKind = "added" | "modified" | "deleted" | "type_changed" | "mode_changed";

/** What a task changed at one path, against the host's tree as it is now. A deleted directory is one change, at its top. */
export interface Change {
  readonly path: string;
  readonly kind: ChangeKind;
  /** In the layer; undefined when deleted. */
  readonly after: EntryStat | undefined;
  /** On the host; undefined when added. */
  readonly before: EntryStat | undefined;
  /** Why it can't be carried over to the host. */
  readonly refusal: string | undefined;
  /** A file that has other names in the layer. */
  readonly link?: Link | undefined;
}

/** What the names of one file of a layer have in common. */
export interface Link {
  /** In the layer. */
  readonly inode: string;
  /** One of them that the host has with this content; `kept` unless its mode changes. The others become names of this file. */
  readonly keeper: { readonly path: string; readonly stat: EntryStat; readonly kept: boolean } | undefined;
}
