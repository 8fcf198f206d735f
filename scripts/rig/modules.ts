/**
 * The order in which the initramfs must load modules, from depmod's list.
 */
import { RigError } from "./rig-error.ts";

const nameOf = (path: string): string =>
  (path.split("/").at(-1) ?? "").replace(/\.ko(\.\w+)?$/, "").replaceAll("-", "_");

/**
 * Paths (relative to the modules folder) of the wanted modules with all they need, each after what it needs. A module built into
 * the kernel needs no loading; one that is nowhere is an error, since the guest would not boot without it.
 */
export function loadOrder(modulesDep: string, modulesBuiltin: string, wanted: readonly string[]): string[] {
  const builtin = new Set(modulesBuiltin.split("\n").map(nameOf));
  const needs = new Map<string, { path: string; needed: string[] }>();
  for (const line of modulesDep.split("\n")) {
    const [path, rest] = line.split(":");
    if (path === undefined || rest === undefined) continue;
    needs.set(nameOf(path), { path, needed: rest.split(" ").filter((item) => item !== "") });
  }
  const order: string[] = [];
  const visit = (name: string): void => {
    if (builtin.has(name)) return;
    const found = needs.get(name);
    if (found === undefined) throw new RigError(`the kernel has no module ${name}`);
    if (order.includes(found.path)) return;
    for (const path of found.needed) visit(nameOf(path));
    order.push(found.path);
  };
  for (const name of wanted) visit(name);
  return order;
}
