/**
 * The hot path as one module: src/cli/main.ts, the platform's backend, and all that they import statically. What is imported
 * dynamically stays outside, and the compiler makes chunks of it, with copies of what they share with the hot path.
 *
 * The bundler alone would cut the hot path into some twenty chunks, one for each set of commands that share a file; loading those takes
 * half a millisecond longer than loading one, at each start (docs/adr/0001).
 */
import { dirname, relative, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { BuildError } from "./build-error.ts";

const BACKENDS = "src/linux/backend.ts";

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
    setup: ({ onResolve }) => {
      onResolve({ filter: /^\./ }, ({ path, importer, kind }) => {
        const file = resolve(dirname(importer), path);
        if (kind !== "dynamic-import" || file === resolve(BACKENDS)) return undefined;
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
