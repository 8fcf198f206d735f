import { isBelow } from "../absolute-path.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { domainCovers, domainForm } from "./domain.ts";
import type { Form } from "./form.ts";
import { formatKeyPath, type KeyPath } from "./key-path.ts";
import type { MergedPolicy } from "./merge.ts";
import { placeForm } from "./paths.ts";
import type { NetworkMode } from "./policy.ts";
import { mistake, type PolicySource } from "./source.ts";

/**
 * Rules of a policy that can't both hold. They are looked for in what is well formed of the policy, so that they show at once with
 * the mistakes in the rest. Each is reported where the rule stands that would have no effect.
 */
export function checkContradictions(merged: MergedPolicy, asked: PolicySource): Diagnostic[] {
  const scene: Scene = { merged, asked, found: [] };
  checkMode(scene);
  checkPaths(scene);
  checkDomains(scene);
  checkSyscalls(scene);
  return scene.found;
}

interface Scene {
  readonly merged: MergedPolicy;
  readonly asked: PolicySource;
  readonly found: Diagnostic[];
}

/**
 * Reports at the first of the keys that the file asked for said, else at the first that any file said; a contradiction with
 * what the shipped policy alone says, where `extends` names that.
 */
function report({ merged, asked, found }: Scene, keys: readonly KeyPath[], message: string, hint: string): void {
  const sourceOf = (path: KeyPath) => merged.saidBy.get(formatKeyPath(path.slice(0, 2)));
  const said = keys.filter((path) => sourceOf(path) !== undefined);
  const path = said.find((path) => sourceOf(path) === asked) ?? said[0] ?? ["extends"];
  found.push(mistake(sourceOf(path) ?? asked, path, "value", message, hint));
}

interface Entry {
  readonly path: KeyPath;
  readonly value: string;
}

/** The well-formed entries of a list. */
function entries({ merged }: Scene, section: string, key: string, form?: Form<string>): Entry[] {
  const list = merged.tree[section]?.[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => {
    const outcome = form?.(item);
    const value = outcome === undefined ? item : outcome.ok ? outcome.value : undefined;
    return typeof value === "string" ? [{ path: [section, key, index], value }] : [];
  });
}

/** Which lists a mode of the network can act on. */
const meaningful: Readonly<Record<NetworkMode, readonly string[]>> = {
  // Denying what is not allowed anyway does no harm.
  none: ["denied_domains"],
  filtered: ["allowed_egress", "allowed_domains", "denied_domains"],
  bridged: ["allowed_egress", "allowed_ingress"],
  host: [],
};

const modeKey: KeyPath = ["network", "mode"];
const networkLists = ["allowed_egress", "allowed_ingress", "allowed_domains", "denied_domains"];

function checkMode(scene: Scene): void {
  const { zone, network } = scene.merged.tree;
  const said = network?.["mode"] ?? "none";
  const mode = said === "isolated" ? "none" : said;
  if (typeof mode !== "string" || !Object.hasOwn(meaningful, mode)) return;
  if (mode === "host" && (zone?.["type"] ?? "non-global") === "non-global") {
    const type = zone?.["type"] === undefined ? "zone.type is not" : "zone.type is non-global, not";
    const message = `network.mode = "host" needs zone.type = "privileged", and ${type} that`;
    const hint = 'set zone.type = "privileged", or network.mode = "bridged"';
    report(scene, [modeKey, ["zone", "type"]], message, hint);
  }
  const words = network?.["mode"] === undefined ? "network.mode is not set, which is none" : `network.mode is ${mode}`;
  for (const list of networkLists) {
    if (meaningful[mode as NetworkMode].includes(list) || entries(scene, "network", list).length === 0) continue;
    const modes = Object.entries(meaningful).filter(([name, lists]) => name !== "none" && lists.includes(list));
    const hint = `set network.mode = ${modes.map(([name]) => JSON.stringify(name)).join(" or ")}, or leave the list out`;
    report(scene, [["network", list], modeKey], `network.${list} has no effect: ${words}`, hint);
  }
}

/** What shows files of the host. */
const shown = [
  ["filesystem", "readable_paths"],
  ["filesystem", "writable_paths"],
  ["filesystem", "allowed_sockets"],
  ["devices", "allowed"],
] as const;

function checkPaths(scene: Scene): void {
  const denied = entries(scene, "filesystem", "denied_paths", placeForm);
  for (const [section, key] of shown) {
    for (const { path, value } of entries(scene, section, key, placeForm)) {
      const by = denied.find((entry) => isBelow(value, entry.value));
      if (by === undefined) continue;
      const message = `${value} is in ${section}.${key}, and ${formatKeyPath(by.path)} denies ${by.value}`;
      report(scene, [path, by.path], message, "a denied path hides everything below it: take one of the two out");
    }
  }
}

function checkDomains(scene: Scene): void {
  const denied = entries(scene, "network", "denied_domains", domainForm);
  for (const { path, value } of entries(scene, "network", "allowed_domains", domainForm)) {
    const by = denied.find((entry) => domainCovers(entry.value, value));
    if (by === undefined) continue;
    const message = `${value} is allowed, and ${formatKeyPath(by.path)} denies ${by.value}`;
    report(scene, [path, by.path], message, "a denied domain stays denied: take one of the two out");
  }
}

function checkSyscalls(scene: Scene): void {
  const denied = entries(scene, "syscalls", "deny");
  for (const { path, value } of entries(scene, "syscalls", "allow")) {
    const by = denied.find((entry) => entry.value === value);
    if (by === undefined) continue;
    const message = `${value} is allowed, and ${formatKeyPath(by.path)} denies it`;
    report(scene, [path, by.path], message, "take one of the two out");
  }
}
