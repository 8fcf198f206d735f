import { joinDirectories, noFiles } from "../image/layers/joint-layer.ts";
import type { ImplyingLayer } from "../image/rootfs/implied.ts";
import { LayerRefusal } from "../image/unpack/refusal.ts";
import { maximumImplied, type UnpackReport } from "../image/unpack/report.ts";
import { type UnpackOptions, type UnpackSummary, unpackArchive } from "../image/unpack/unpack.ts";
import { removeTree } from "../run/remove-tree.ts";
import { errnoName } from "../run/report/errno.ts";
import { TreeError } from "../run/tree-fs.ts";
import { errno, readFd, writeAll } from "./ffi.ts";
import { layerFs } from "./unpack/layer-fs.ts";
import { ownTree } from "./unpack/own-tree.ts";
import { unpackLower, unpackTarget } from "./unpack/zone-plan.ts";

/** What a zone does with the one directory that it can write to. Whoever starts it says so on the command line. */
export type ZoneWork =
  /** Unpacks the archive on stdin, out of its compression. */
  | ({ readonly do: "unpack" } & UnpackOptions)
  /** Makes the directories that layers imply; the layers are below `unpackLower`, what they imply is JSON on stdin. */
  | { readonly do: "join" }
  /** Removes all that is in it. */
  | { readonly do: "empty" }
  /** Gives all that is in it to this id. */
  | { readonly do: "own"; readonly uid: number };

/** `rauha unpack-layer WORK`: what runs inside such a zone. One line of JSON goes to stdout. Not for people. */
export function unpackCommand([work = ""]: readonly string[]): number {
  const report = reportOn(() => workOn(JSON.parse(work) as ZoneWork));
  writeAll(1, new TextEncoder().encode(`${JSON.stringify(report)}\n`));
  return report.ok ? 0 : 1;
}

function workOn(work: ZoneWork): UnpackSummary {
  switch (work.do) {
    case "unpack":
      return unpackArchive(readStdin, layerFs, layerFs.root(unpackTarget), work);
    case "join":
      return { entries: joinDirectories(layerFs, readImplied(), unpackTarget, true), ...noFiles };
    case "empty":
      return { entries: emptyDirectory(), ...noFiles };
    case "own":
      return { entries: ownTree(layerFs, layerFs.root(unpackTarget), work.uid), ...noFiles };
  }
}

function emptyDirectory(): number {
  const root = layerFs.root(unpackTarget);
  const names = layerFs.list(root);
  for (const name of names) removeTree(layerFs, root, name);
  layerFs.close(root);
  return names.length;
}

function readImplied(): ImplyingLayer[] {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = new Uint8Array(1 << 16);
    const count = readStdin(piece);
    if (count === 0) break;
    pieces.push(piece.subarray(0, count));
  }
  const lists = JSON.parse(Buffer.concat(pieces).toString("utf8")) as string[][];
  return lists.map((implied, index) => ({ tree: `${unpackLower}/${index}`, summary: { implied } }));
}

function reportOn(doWork: () => UnpackSummary): UnpackReport {
  try {
    const summary = doWork();
    if (summary.implied.length > maximumImplied)
      throw new LayerRefusal(`it has more than ${maximumImplied} directories that the archive does not describe`);
    return { ok: true, summary };
  } catch (error) {
    if (error instanceof LayerRefusal) {
      const { entry, reason, limit } = error;
      return { ok: false, kind: "invalid", entry: entry?.slice(0, 4096), reason: reason.slice(0, 4096), limit };
    }
    if (!(error instanceof TreeError)) throw error;
    const reason = `${error.step} ${error.path}: ${errnoName(error.errno)}`;
    return { ok: false, kind: "failed", entry: undefined, reason: reason.slice(0, 4096) };
  }
}

function readStdin(into: Uint8Array): number {
  for (;;) {
    const count = readFd(0, into);
    if (count === -errno.EINTR) continue;
    if (count < 0) throw new TreeError("read", "the archive", -count);
    return count;
  }
}
