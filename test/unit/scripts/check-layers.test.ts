import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkLayers } from "../../../scripts/check-layers.ts";

const trees: string[] = [];

/** A tree of these files, checked. */
function check(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  trees.push(root);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), content);
  }
  return checkLayers(root);
}

afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true, force: true });
});

describe("the layer table refuses", () => {
  const refused: [what: string, file: string, source: string, breach: string][] = [
    ["run with a node module", "src/run/a.ts", 'import { join } from "node:path";', "src/run is pure"],
    ["run with bun", "src/run/a.ts", 'import { Glob } from "bun";', "src/run is pure"],
    ["run with bun:ffi", "src/run/a.ts", 'import { dlopen } from "bun:ffi";', "bun:ffi is for"],
    ["run with a backend", "src/run/plan/a.ts", 'import { b } from "../../linux/b.ts";', "run may not import linux"],
    [
      "run with a backend's type",
      "src/run/a.ts",
      'import type { B } from "../linux/b.ts";',
      "run may not import linux",
    ],
    ["run with the command line", "src/run/a.ts", 'export * from "../cli/main.ts";', "run may not import cli"],
    ["zod elsewhere", "src/run/result/a.ts", 'import { z } from "zod";', "zod is for src/run/zod.ts alone"],
    ["zod's parts elsewhere", "src/cli/a.ts", 'import { z } from "zod/mini";', "zod is for src/run/zod.ts alone"],
    ["smol-toml elsewhere", "src/run/a.ts", 'import { parse } from "smol-toml";', "smol-toml is for"],
    ["ffi outside ffi.ts", "src/linux/spawn.ts", 'import { dlopen } from "bun:ffi";', "bun:ffi is for"],
    ["ffi in the command line", "src/cli/ffi.ts", 'const f = await import("bun:ffi");', "bun:ffi is for"],
    ["linux with darwin", "src/linux/a.ts", 'import "../darwin/a.ts";', "linux may not import darwin"],
    ["darwin with linux", "src/darwin/a.ts", 'import "../linux/a.ts";', "darwin may not import linux"],
    ["bpf with linux", "src/bpf/a.ts", 'import { x } from "../linux/a.ts";', "bpf may not import linux"],
    ["image with the command line", "src/image/a.ts", 'import { x } from "../cli/a.ts";', "image may not import cli"],
    ["linux with the command line", "src/linux/a.ts", 'await import("../cli/a.ts");', "linux may not import cli"],
    ["a static backend", "src/cli/main.ts", 'import { b } from "../linux/b.ts";', "imported dynamically"],
    ["a backend elsewhere", "src/cli/doctor.ts", 'await import("../linux/b.ts");', "only src/cli/main.ts may"],
    ["a backend's inside", "src/cli/main.ts", 'await import("../linux/cgroup/b.ts");', "inside is its own"],
    ["a computed import", "src/cli/main.ts", "await import(`../$" + "{name}.ts`);", "computed import"],
    ["a computed require", "src/linux/a.ts", "require(name)", "computed import"],
    ["an unknown package", "src/cli/a.ts", 'import x from "left-pad";', "no layer may import left-pad"],
    ["tests", "src/cli/a.ts", 'import x from "../../test/a.ts";', "src imports nothing outside"],
    ["a file in no layer", "src/a.ts", 'import "./run/a.ts";', "in no layer"],
    ["a layer that isn't one", "src/utils/a.ts", 'import "../run/a.ts";', "in no layer"],
  ];
  test.each(refused)("%s", (_what, file, source, breach) => {
    const breaches = check({ [file]: `\n${source}\n` });
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toStartWith(`${file}:2: `);
    expect(breaches[0]).toContain(breach);
  });

  test("an import over several lines, at its first line", () => {
    const breaches = check({ "src/run/a.ts": 'export {\n  a,\n  b as "c",\n} from "node:fs";\n' });
    expect(breaches).toEqual(["src/run/a.ts:1: src/run is pure: no runtime module"]);
  });
});

describe("the layer table allows", () => {
  test("what the house is built of", () => {
    const breaches = check({
      "src/run/zod.ts": 'export { z } from "zod";',
      "src/run/policy/toml.ts": 'import { parse } from "smol-toml";\nimport { z } from "../zod.ts";',
      "src/linux/ffi.ts": 'import { dlopen } from "bun:ffi";\nimport type { Plan } from "../run/plan.ts";',
      "src/linux/backend.ts":
        'import launcher from "../../build/launcher.b64.txt" with { type: "text" };\nimport { x } from "../bpf/x.ts";',
      "src/image/layer.ts": 'import { x } from "tar";\nimport { y } from "../run/plan.ts";',
      "src/cli/main.ts": 'const { start } = await import("../linux/backend.ts");\nimport { a } from "../run/plan.ts";',
      "src/cli/words.ts": 'import { defineCommand } from "citty";\nimport { parseArgs } from "node:util";',
    });
    expect(breaches).toEqual([]);
  });

  test("what only looks like an import", () => {
    const source = [
      '// import "node:fs";',
      '/* import x from "node:fs"; */',
      `const url = "https://x"; // import('node:fs')`,
      "const quote = /[\"'`]/; const b = 4 / 2; /* import 'node:os' */",
      "const nested = `a $" + "{`b $" + "{1} // c`}`;",
      'obj.import("x"); obj.require(y);',
    ];
    expect(check({ "src/run/a.ts": source.join("\n") })).toEqual([]);
  });
});

describe("import cycles", () => {
  test("are found wherever they are, once each", () => {
    const breaches = check({
      "src/run/a.ts": 'import "./b.ts";',
      "src/run/b.ts": 'import "./c.ts";',
      "src/run/c.ts": 'import "./a.ts";',
      "scripts/x.ts": 'import "./x.ts";',
    });
    expect(breaches).toEqual([
      "import cycle: scripts/x.ts -> scripts/x.ts",
      "import cycle: src/run/a.ts -> src/run/b.ts -> src/run/c.ts -> src/run/a.ts",
    ]);
  });

  test("count through types as well: who reads one file must read the other", () => {
    const files = { "src/run/a.ts": 'import type { B } from "./b.ts";', "src/run/b.ts": 'import "./a.ts";' };
    expect(check(files)).toEqual(["import cycle: src/run/a.ts -> src/run/b.ts -> src/run/a.ts"]);
  });

  test("are none where two files need a third", () => {
    const files = { "src/run/a.ts": 'import type { C } from "./c.ts";', "src/run/b.ts": 'import "./c.ts";' };
    expect(check({ ...files, "src/run/c.ts": "export interface C {}" })).toEqual([]);
  });
});
