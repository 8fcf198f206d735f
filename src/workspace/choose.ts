import { isBelow, normalPath } from "../run/absolute-path.ts";
import { fromText } from "./bytes.ts";
import type { LayerRecord } from "./task-record.ts";

/**
 * Which paths of which layer some words of the command line (byte strings) mean. Absolute ones and those relative to a directory inside a
 * layer's own are found by that; others are relative to the first layer, the workspace.
 */
export function choosePaths(
  layers: readonly LayerRecord[],
  words: readonly string[],
  cwd: string,
): { readonly chosen: ReadonlyMap<number, readonly string[]> | undefined; readonly outside: readonly string[] } {
  if (words.length === 0) return { chosen: undefined, outside: [] };
  const chosen = new Map<number, string[]>();
  const outside: string[] = [];
  const sources = layers.map(({ source }) => fromText(source));
  const here = fromText(cwd);
  const base = sources.some((source) => isBelow(here, source)) ? here : (sources[0] ?? "/");
  for (const word of words) {
    const path = normalPath(word.startsWith("/") ? word : `${base}/${word}`);
    const layer = sources.findIndex((source) => isBelow(path, source));
    const source = sources[layer];
    if (source === undefined) outside.push(word);
    else chosen.set(layer, [...(chosen.get(layer) ?? []), path.slice(source.length).replace(/^\//, "")]);
  }
  return { chosen, outside };
}
