import type { TreeFs } from "../run/tree-fs.ts";
import { type KeptTask, listTasks } from "./store.ts";

/** The task that was meant, none, or several that it might be. */
export type Found =
  | { readonly kind: "found"; readonly task: KeptTask }
  | { readonly kind: "none" }
  | { readonly kind: "many"; readonly ids: readonly string[] };

/** The kept task that a word means: an id, a beginning of it that no other has (with or without `task_`), or `last`. */
export function findTask(fs: TreeFs, tasks: number, word: string): Found {
  const all = listTasks(fs, tasks);
  const [latest] = all;
  if (word === "last") return latest === undefined ? { kind: "none" } : { kind: "found", task: latest };
  const matching = all.filter(({ id }) => id.startsWith(word) || id.startsWith(`task_${word}`));
  const [first, ...others] = matching;
  const exact = matching.find(({ id }) => id === word);
  if (exact !== undefined) return { kind: "found", task: exact };
  if (first === undefined) return { kind: "none" };
  return others.length === 0 ? { kind: "found", task: first } : { kind: "many", ids: matching.map(({ id }) => id) };
}
