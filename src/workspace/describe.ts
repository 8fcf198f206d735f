import type { Result } from "../run/result/schema.ts";
import { bytesOf, toText } from "./bytes.ts";
import type { Change } from "./change.ts";
import type { LayerChanges } from "./task-layers.ts";

/** A change as the result has it. */
export type ListedChange = Result["changes"][number];

/** At most so many changes are listed in a result; the others are counted. */
export const mostListed = 1000;

/** Paths of the first layer are relative to its directory (the workspace); of the others, absolute paths of the host. */
export function displayPath(layer: number, source: string, path: string): string {
  return layer === 0 ? path : `${Buffer.from(source).toString("latin1")}/${path}`;
}

/** A change as the result lists it. */
export function describeChange(layer: number, source: string, change: Change): ListedChange {
  const { path, kind, before, after } = change;
  const full = displayPath(layer, source, path);
  const { text, exact } = toText(full);
  return {
    path: text,
    kind,
    size: after?.type === "file" || after?.type === "symlink" ? after.size : null,
    type: after?.type ?? before?.type ?? "file",
    mode: after === undefined ? null : after.mode.toString(8).padStart(4, "0"),
    ...(exact ? {} : { path_base64: Buffer.from(bytesOf(full)).toString("base64") }),
  };
}

/** The changes of all layers as a result lists them, and how many were left out. */
export function describeChanges(
  layers: readonly LayerChanges[],
  most = mostListed,
): { readonly changes: ListedChange[]; readonly omitted: number } {
  const changes: ListedChange[] = [];
  let omitted = 0;
  layers.forEach(({ record, changes: all }, layer) => {
    for (const change of all) {
      if (changes.length < most) changes.push(describeChange(layer, record.source, change));
      else omitted++;
    }
  });
  return { changes, omitted };
}
