/**
 * The hot path as one module: src/cli/main.ts, the platform's backend, and all that they import statically. What is imported
 * dynamically stays outside, and the compiler makes chunks of it, with copies of what they share with the hot path.
 *
 * The bundler alone would cut the hot path into some twenty chunks, one for each set of commands that share a file; loading those takes
 * half a millisecond longer than loading one, at each start (docs/adr/0001).
 */
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { BuildError } from "./build-error.ts";
import { lazyModule } from "./lazy-tables.ts";

/** How main.ts takes the backend of a platform, and how a program that is built for this platform does. */
const BACKEND = {
  dynamic: 'await import("../linux/backend.ts")',
  fixed: 'import * as backend from "../linux/backend.ts";',
};

/** Modules of nothing but data, most of which one start does not use. */
export const TABLES: readonly string[] = [
  "src/cli/flags/sandbox-table.ts",
  "src/run/plan/contract.ts",
  "src/run/policy/shipped.gen.ts",
];

export interface HotBundle {
  readonly code: string;
  /** Sources that the hot path imports when it needs them, relative to the repository. */
  readonly cold: readonly string[];
}

/** Bundles `entry` for a file that will lie in `folder`. Names in `absent` are left out (what a build makes later). */
export async function bundleHotPath(entry: string, folder: string, absent: readonly string[] = []): Promise<HotBundle> {
  const cold = new Set<string>();
  const split: BunPlugin = {
    name: "leave what is imported dynamically outside",
    setup: ({ onLoad, onResolve }) => {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const name = relative(process.cwd(), path);
        if (path === resolve(entry)) return { contents: withBackend(name), loader: "ts" };
        return TABLES.includes(name) ? { contents: lazyModule(name, await import(path)), loader: "js" } : undefined;
      });
      onResolve({ filter: /^\./ }, ({ path, importer, kind }) => {
        const file = resolve(dirname(importer), path);
        if (kind !== "dynamic-import") return undefined;
        cold.add(relative(process.cwd(), file));
        return { path: `./${relative(resolve(folder), file)}`, external: true };
      });
    },
  };
  const built = await Bun.build({
    entrypoints: [entry],
    target: "bun",
    format: "esm",
    external: [...absent],
    plugins: [split],
    throw: false,
  });
  const [output] = built.outputs;
  if (!built.success || output === undefined) throw new BuildError(`${entry}: ${built.logs.join("\n")}`);
  return { code: await output.text(), cold: [...cold].sort() };
}

/**
 * The entry with its backend imported statically: an executable is built for one platform, and what is imported dynamically within one
 * module is wrapped in functions that cost as much as any.
 */
function withBackend(entry: string): string {
  const source = readFileSync(entry, "utf8");
  if (!source.includes(BACKEND.dynamic)) throw new BuildError(`${entry}: \`${BACKEND.dynamic}\` is not in it`);
  return `${BACKEND.fixed}\n${source.replace(BACKEND.dynamic, "backend")}`;
}
