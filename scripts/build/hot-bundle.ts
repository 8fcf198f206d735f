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

/** What a source leaves to the platform at run time, and how a program that is built for this platform does it. */
const FIXED: Readonly<Record<string, { readonly dynamic: string; readonly fixed: string; readonly use: string }>> = {
  "src/cli/main.ts": {
    dynamic: 'await import("../linux/backend.ts")',
    fixed: 'import * as backend from "../linux/backend.ts";',
    use: "backend",
  },
  "src/cli/workspace-run.ts": {
    dynamic: "await backend.taskTrees()",
    fixed: 'import { taskFs as builtTrees } from "../linux/tree/task-fs.ts";',
    use: "builtTrees",
  },
  "src/cli/workspace-end.ts": {
    dynamic: "await backend.trees()",
    fixed: 'import { treeFs as builtTrees } from "../linux/tree/tree-fs.ts";',
    use: "builtTrees",
  },
};

/**
 * What some runs need besides the hot path, a module each in the folder of the hot one, by these names: with a workspace, before its zone is
 * started and while that is being built; in a zone that BPF programs guard; and in one that lasts without them.
 */
export const PARTS: Readonly<Record<string, string>> = {
  "src/cli/workspace-run.ts": "workspace.js",
  "src/cli/workspace-end.ts": "workspace-end.js",
  "src/linux/bpf/run.ts": "lsm.js",
  "src/linux/zones/note.ts": "note.js",
};

/**
 * What these bundles share with what they import, which the compiler then keeps apart from all: the C library is opened once in a
 * process, since each of its symbols costs what a function does. A module more to load costs as much as ten functions.
 */
export const SHARED: readonly string[] = ["src/linux/ffi.ts"];

/** Modules of nothing but data, most of which one start does not use. */
export const TABLES: readonly string[] = [
  "src/cli/flags/sandbox-table.ts",
  "src/run/plan/contract.ts",
  "src/run/plan/ready.gen.ts",
  "src/run/policy/shipped.gen.ts",
];

export interface HotBundle {
  readonly code: string;
  /** Sources that the bundle imports when it needs them, relative to the repository. */
  readonly cold: readonly string[];
}

/** Bundles `entry` for a file that will lie in `folder`. Names in `absent` are left out (what a build makes later). */
export async function bundleHotPath(entry: string, folder: string, absent: readonly string[] = []): Promise<HotBundle> {
  const cold = new Set<string>();
  const outside = (file: string) => {
    const name = relative(process.cwd(), file);
    return { path: `./${PARTS[name] ?? relative(resolve(folder), file)}`, external: true };
  };
  const split: BunPlugin = {
    name: "leave what is imported dynamically outside",
    setup: ({ onLoad, onResolve }) => {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const name = relative(process.cwd(), path);
        if (path === resolve(entry) && name in FIXED) return { contents: forThisPlatform(name), loader: "ts" };
        return TABLES.includes(name) ? { contents: lazyModule(name, await import(path)), loader: "js" } : undefined;
      });
      onResolve({ filter: /^\./ }, ({ path, importer, kind }) => {
        const file = resolve(dirname(importer), path);
        if (SHARED.includes(relative(process.cwd(), file))) return outside(file);
        if (kind !== "dynamic-import") return undefined;
        cold.add(relative(process.cwd(), file));
        return outside(file);
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
 * The entry with its part of the backend imported statically: an executable is built for one platform, and what is imported
 * dynamically within one module is wrapped in functions that cost as much as any.
 */
function forThisPlatform(entry: string): string {
  const source = readFileSync(entry, "utf8");
  const words = FIXED[entry];
  if (words === undefined || !source.includes(words.dynamic))
    throw new BuildError(
      `${entry}: ${words === undefined ? "no entry of hot-bundle.ts" : `\`${words.dynamic}\` is not in it`}`,
    );
  return `${words.fixed}\n${source.replace(words.dynamic, words.use)}`;
}
