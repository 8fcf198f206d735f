import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import { collectChanges } from "./changes.ts";
import type { PreparedTask } from "./prepare.ts";
import { eachLayer } from "./task-layers.ts";

/**
 * Goes the way of the changes once, over the roots of the layers alone, while the zone is being built: what a function costs is its first
 * call (docs/adr/0005), and this process has nothing to do meanwhile. Nothing is written, and nothing comes of it.
 */
export function rehearse(fs: TreeFs, { task, record }: PreparedTask): void {
  try {
    eachLayer(fs, task.fd, record, ({ layer: { tree }, host }) => {
      const stat = host.stat("");
      tree.list("");
      if (stat === undefined) return;
      const root = { kind: "present", path: "", stat, replaces: false } as const;
      collectChanges(fs, { tree, entries: () => [root] }, host);
    });
  } catch (error) {
    // What is wrong shows after the zone's end, when it matters.
    if (!(error instanceof TreeError)) throw error;
  }
}
