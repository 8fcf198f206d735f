/** Judges one import against the layer table. */
import { posix } from "node:path";
import type { Import } from "./imports.ts";
import { BACKENDS, BUILT, COMPOSITION_ROOT, LAYERS, PACKAGES } from "./table.ts";

/** What is wrong with this import in this file (a path from the repository's root), or undefined. */
export function judgeImport(file: string, found: Import): string | undefined {
  const { specifier } = found;
  if (specifier === undefined) return "a computed import can't be checked: name the module";
  if (specifier.startsWith(".")) return judgeRelative(file, posix.join(posix.dirname(file), specifier), found);
  return judgePackage(file, specifier);
}

/** The layer that a path belongs to: `run` for src/run/plan/plan.ts, undefined outside the layers. */
export function layerOf(path: string): string | undefined {
  const [root, layer, ...rest] = path.split("/");
  return root === "src" && layer !== undefined && rest.length > 0 ? layer : undefined;
}

function judgeRelative(file: string, target: string, found: Import): string | undefined {
  const from = layerOf(file);
  if (from === undefined || !(from in LAYERS)) return `this file is in no layer: ${Object.keys(LAYERS).join(", ")}`;
  if (BUILT.test(target)) return undefined;
  const to = layerOf(target);
  if (to === undefined) return `src imports nothing outside src and build/, but this is ${target}`;
  if (to === from || LAYERS[from]?.includes(to)) return undefined;
  if (from === "cli" && BACKENDS.includes(to)) return judgeBackend(file, target, found);
  return `${from} may not import ${to}`;
}

function judgeBackend(file: string, target: string, found: Import): string | undefined {
  if (file !== COMPOSITION_ROOT) return `only ${COMPOSITION_ROOT} may import a backend`;
  if (found.kind !== "dynamic") return "a backend is imported dynamically, so that the others cost nothing";
  if (target.split("/").length > 3) return "a backend's inside is its own: import a file at its top";
  return undefined;
}

function judgePackage(file: string, specifier: string): string | undefined {
  const known = PACKAGES.find(({ name }) => name.test(specifier));
  if (!known) return `no layer may import ${specifier}: add it to the table first`;
  return known.where.test(file) ? undefined : known.rule;
}
