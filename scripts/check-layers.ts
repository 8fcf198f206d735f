/**
 * Enforces the layer table over src/, and that no import cycle exists anywhere.
 *
 *   bun scripts/check-layers.ts [ROOT]
 */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { Glob } from "bun";
import { findCycles } from "./layers/cycles.ts";
import { type Import, scanImports } from "./layers/imports.ts";
import { judgeImport } from "./layers/rules.ts";

/** Every breach in the tree at `root`, as `file:line: what`, sorted. */
export function checkLayers(root: string): string[] {
  const imports = new Map<string, Import[]>();
  for (const folder of ["src", "scripts", "bench", "test"]) {
    for (const file of new Glob(`${folder}/**/*.ts`).scanSync(root)) {
      imports.set(file, scanImports(readFileSync(join(root, file), "utf8")));
    }
  }
  const breaches: string[] = [];
  for (const [file, found] of imports) {
    if (!file.startsWith("src/")) continue;
    for (const one of found) {
      const wrong = judgeImport(file, one);
      if (wrong) breaches.push(`${file}:${one.line}: ${wrong}`);
    }
  }
  for (const cycle of findCycles(graphOf(imports))) breaches.push(`import cycle: ${[...cycle, cycle[0]].join(" -> ")}`);
  return breaches.sort();
}

/** Who needs whom to be understood: relative imports, also those of types alone. */
function graphOf(imports: ReadonlyMap<string, readonly Import[]>): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  for (const [file, found] of imports) {
    const targets = found
      .filter(({ specifier }) => specifier?.startsWith("."))
      .map(({ specifier }) => posix.join(posix.dirname(file), specifier ?? ""));
    graph.set(file, [...new Set(targets)]);
  }
  return graph;
}

if (import.meta.main) {
  const breaches = checkLayers(process.argv[2] ?? `${import.meta.dir}/..`);
  for (const breach of breaches) console.error(`layers: ${breach}`);
  process.exit(breaches.length > 0 ? 1 : 0);
}
