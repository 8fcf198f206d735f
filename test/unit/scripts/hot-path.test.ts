import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { bundleHotPath } from "../../../scripts/build/hot-bundle.ts";

process.chdir(`${import.meta.dir}/../../..`);

/** Not there before the first build, and of no interest here. */
const absent = ["*/build/launcher.b64.txt", "*/build/build-info.json"];
const { code, cold } = await bundleHotPath("src/cli/main.ts", "build", absent);
const imports = new Bun.Transpiler({ loader: "js" }).scanImports(code);

/** All that a module imports, statically or not, as one text. */
async function whole(file: string): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [file], target: "bun", format: "esm", external: absent });
  return (await Promise.all(outputs.map((output) => output.text()))).join("\n");
}

test("the hot path imports nothing but bun:ffi", () => {
  const loaded = imports.filter(({ kind, path }) => kind !== "dynamic-import" && !path.includes("launcher.b64"));
  expect(loaded.map(({ path }) => path)).toEqual(["bun:ffi"]);
});

test("what it imports when it needs it is named from the folder of the bundle", () => {
  const named = imports.filter(({ kind }) => kind === "dynamic-import").map(({ path }) => path);
  expect(named.map((path) => basename(path)).sort()).toEqual(cold.map((path) => basename(path)).sort());
  for (const path of named) expect(existsSync(`build/${path}`), path).toBe(true);
  expect(cold).toContain("src/cli/commands.ts");
  expect(cold, "the backend is on the hot path").not.toContain("src/linux/backend.ts");
  expect(code, "the backend is on the hot path").toContain("posix_spawn");
});

test("what other commands need is not in it", async () => {
  // Words that the code of these packages keeps, each seen in what a command loads.
  const marks = { zod: "ZodISODateTime", "smol-toml": "TomlError", citty: "E_UNKNOWN_COMMAND", consola: "throttleMin" };
  const commands = await whole("src/cli/commands.ts");
  for (const [name, mark] of Object.entries(marks)) {
    expect(commands, `${name} is in the program`).toContain(mark);
    expect(code, `${name} is on the hot path`).not.toContain(mark);
  }
});
