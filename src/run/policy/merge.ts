import type { PolicyChain } from "./chain.ts";
import { type PolicyTree, policyTree } from "./document.ts";
import { formatKeyPath } from "./key-path.ts";
import { policyKeys } from "./key-table.ts";
import type { PolicyPlace } from "./policy.ts";
import { isTable } from "./reader.ts";
import type { PolicySource } from "./source.ts";

/** A chain of policies as one: what it says, and which file said it. */
export interface MergedPolicy {
  readonly tree: PolicyTree;
  /** The file that said a key, by `section.key`, and `env.set.NAME` for a variable; absent for keys of the shipped base. */
  readonly saidBy: ReadonlyMap<string, PolicySource>;
}

/** Lists that let the task out or others in. A policy that changes the mode of one it extends does not take these over. */
const allowLists = ["allowed_egress", "allowed_ingress", "allowed_domains"] as const;

/**
 * A key of the policy that extends replaces the same key of the one extended, lists as a whole; each variable of `env.set` is a key.
 * `zone.name` is not taken over: two policies are not one.
 */
export function mergeChain({ sources, base }: PolicyChain): MergedPolicy {
  const saidBy = new Map<string, PolicySource>();
  const tree: Record<string, Record<string, unknown>> = {};
  for (const [section, keys] of Object.entries(base === undefined ? {} : policyTree(base))) tree[section] = { ...keys };
  // From the end of the chain to the file that was asked for: the last to say a key has the word.
  for (const source of sources.toReversed()) {
    for (const section of policyKeys.keys()) {
      const said = tableIn(source.tree, section);
      if (section === "network" && changesMode(said, tree["network"] ?? {})) dropAllowLists(tree, saidBy);
      for (const [key, value] of Object.entries(said)) {
        const kept =
          section === "env" && key === "set" && isTable(value)
            ? { ...(tree[section]?.[key] as object), ...value }
            : value;
        tree[section] = { ...tree[section], [key]: kept };
        saidBy.set(`${section}.${key}`, source);
        if (kept !== value)
          for (const name of Object.keys(value as object)) saidBy.set(formatKeyPath([section, key, name]), source);
      }
    }
  }
  const name = tableIn(sources[0]?.tree ?? {}, "zone")["name"];
  if (name === undefined) delete tree["zone"]?.["name"];
  else tree["zone"] = { ...tree["zone"], name };
  return { tree, saidBy };
}

function dropAllowLists(tree: Record<string, Record<string, unknown>>, saidBy: Map<string, PolicySource>): void {
  for (const list of allowLists) {
    delete tree["network"]?.[list];
    saidBy.delete(`network.${list}`);
  }
}

/** Whether both say a mode, and not the same. */
function changesMode(said: Readonly<Record<string, unknown>>, before: Readonly<Record<string, unknown>>): boolean {
  const [now, then] = [modeOf(said), modeOf(before)];
  return now !== undefined && then !== undefined && now !== then;
}

function modeOf(network: Readonly<Record<string, unknown>>): unknown {
  return network["mode"] === "isolated" ? "none" : network["mode"];
}

function tableIn(tree: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> {
  const table = tree[key];
  return isTable(table) ? table : {};
}

/** Where each key of the merged policy was said, elements of lists too. */
export function placesOf(merged: MergedPolicy, sources: readonly PolicySource[]): Record<string, PolicyPlace> {
  const places: Record<string, PolicyPlace> = {};
  for (const source of sources) {
    for (const [path, { keyAt }] of source.locations) {
      const key = /^env\.set\.[^.[]+|^\w+\.\w+/.exec(path)?.[0];
      if (key === undefined || merged.saidBy.get(key) !== source) continue;
      places[path] = { file: source.file, ...source.position(keyAt) };
    }
  }
  return places;
}
