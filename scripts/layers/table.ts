/**
 * The layer table of the house as data: which folder under src/ may import what. The linter has the same table for the editor;
 * this one sees relative paths as they resolve, and dynamic imports.
 */

/** The layers and, for each, the other layers that it may import. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  run: [],
  bpf: ["run"],
  image: ["run"],
  workspace: ["run"],
  linux: ["run", "bpf", "image"],
  darwin: ["run", "bpf", "image"],
  cli: ["run", "workspace", "image"],
};

/** The one file that ties a backend to the command line, by dynamic import, and through a backend's top-level files only. */
export const COMPOSITION_ROOT = "src/cli/main.ts";
export const BACKENDS: readonly string[] = ["linux", "darwin", "bpf"];

/** Packages and runtime modules: where each may be imported. A package that isn't here may be imported nowhere. */
export const PACKAGES: readonly { readonly name: RegExp; readonly where: RegExp; readonly rule: string }[] = [
  { name: /^zod(\/|$)/, where: /^src\/run\/zod\.ts$/, rule: "zod is for src/run/zod.ts alone" },
  { name: /^smol-toml$/, where: /^src\/run\/policy\/toml\.ts$/, rule: "smol-toml is for src/run/policy/toml.ts alone" },
  { name: /^bun:ffi$/, where: /^src\/(linux|darwin)\/ffi\.ts$/, rule: "bun:ffi is for the one ffi.ts of a backend" },
  { name: /^(node|bun):/, where: /^src\/(?!run\/)/, rule: "src/run is pure: no runtime module" },
  { name: /^bun$/, where: /^src\/(?!run\/)/, rule: "src/run is pure: no runtime module" },
  { name: /^(citty|consola)(\/|$)/, where: /^src\/cli\//, rule: "citty and consola are for src/cli" },
  {
    name: /^diff$/,
    where: /^src\/workspace\/diff\/line-diff\.ts$/,
    rule: "diff is for src/workspace/diff/line-diff.ts alone",
  },
  { name: /^tar$/, where: /^src\/image\//, rule: "tar is for src/image" },
];

/** What the build writes outside src/ for the sources to import. */
export const BUILT = /^build\//;
