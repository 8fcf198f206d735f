import { errnoWords } from "../run/report/errno.ts";
import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import { makeCopy } from "./copy.ts";
import { holdsLayers, type Uncommon } from "./prepare.ts";
import { inUnborn } from "./store.ts";
import { TreeCursor } from "./tree-cursor.ts";

export { removeUnborn } from "./store.ts";

/** What making layers needs the first time on a file system, and where overlayfs can't be. */
export function uncommonWays(fs: TreeFs): Uncommon {
  return {
    whyNoLayers: (tasks) => whyNoLayers(fs, tasks),
    copyInto: (host, root, storage, source) => {
      const cursor = new TreeCursor(fs, host);
      const { mechanism, leftOut } = makeCopy(fs, cursor, root, storage);
      cursor.forget();
      return { mechanism, leftOut: leftOutWords(source, leftOut) };
    },
  };
}

/** Found out by doing what overlayfs will do. That it went well is noted last. */
function whyNoLayers(fs: TreeFs, tasks: number): string | undefined {
  const yes = new Uint8Array([0x79]);
  try {
    inUnborn(fs, tasks, `probe-${crypto.randomUUID()}`, (dir) => {
      fs.makeWhiteout(dir, "probe");
      fs.setAttribute(dir, "user.overlay.probe", yes);
    });
    fs.setAttribute(tasks, holdsLayers, yes);
    return undefined;
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    return `the file system of the state directory can't hold a layer of overlayfs: ${error.step}: ${errnoWords(error.errno)}`;
  }
}

function leftOutWords(source: string, leftOut: readonly { readonly path: string; readonly why: string }[]): string[] {
  const [first] = leftOut;
  if (first === undefined) return [];
  const more = leftOut.length === 1 ? "" : ` and ${leftOut.length - 1} more`;
  return [`the copy of ${source} lacks ${Buffer.from(first.path, "latin1").toString()} (${first.why})${more}`];
}
