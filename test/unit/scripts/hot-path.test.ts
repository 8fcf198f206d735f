import { expect, test } from "bun:test";

const root = `${import.meta.dir}/../../..`;
const entry = "main.js";

/** A chunk of the bundle: its text and the files and modules that it imports statically. */
interface Chunk {
  readonly text: string;
  readonly imports: readonly string[];
}

/** The program bundled as scripts/build/executable.ts does it, without the runtime, by file name. */
async function bundle(): Promise<Map<string, Chunk>> {
  const { outputs } = await Bun.build({
    entrypoints: [`${root}/src/cli/main.ts`],
    target: "bun",
    format: "esm",
    splitting: true,
    naming: { chunk: "[name]-[hash].[ext]" },
    minify: { whitespace: true, syntax: true, identifiers: false },
    // Not there before the first build, and of no interest here.
    external: ["*/build/launcher.b64.txt", "*/build/build-info.json"],
  });
  const transpiler = new Bun.Transpiler({ loader: "js" });
  const chunks = new Map<string, Chunk>();
  for (const output of outputs) {
    const text = await output.text();
    const scanned = transpiler.scanImports(text).filter(({ kind }) => kind === "import-statement");
    chunks.set(output.path.replace(/^\.\//, ""), {
      text,
      imports: scanned.map(({ path }) => path.replace(/^\.\//, "")),
    });
  }
  return chunks;
}

/** What `rauha sandbox` loads: the entry, the Linux backend, and what they import statically. */
function hotPath(chunks: ReadonlyMap<string, Chunk>): Set<string> {
  const backend = [...chunks.keys()].find((name) => name.startsWith("backend-")) ?? "no chunk of the backend";
  const loaded = new Set<string>();
  const pending = [entry, backend];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (loaded.has(name)) continue;
    loaded.add(name);
    pending.push(...(chunks.get(name)?.imports ?? []));
  }
  return loaded;
}

const chunks = await bundle();
const loaded = hotPath(chunks);

test("the hot path imports nothing but its own chunks and bun:ffi", () => {
  const foreign = [...loaded].filter((name) => !chunks.has(name) && !name.includes("launcher.b64"));
  expect(foreign).toEqual(["bun:ffi"]);
});

test("what other commands need is in chunks that the hot path does not load", () => {
  // Words that minified code of these packages keeps, each seen in the bundle as a whole.
  const marks = { zod: "ZodISODateTime", "smol-toml": "TomlError", citty: "E_UNKNOWN_COMMAND", consola: "throttleMin" };
  const textOf = (names: Iterable<string>) => [...names].map((name) => chunks.get(name)?.text ?? "").join("\n");
  for (const [name, mark] of Object.entries(marks)) {
    expect(textOf(chunks.keys()), `${name} is in the bundle`).toContain(mark);
    expect(textOf(loaded), `${name} is on the hot path`).not.toContain(mark);
  }
});
