import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { basename, normalize } from "node:path";
import { bundleHotPath, PARTS, SHARED } from "../../../scripts/build/hot-bundle.ts";

process.chdir(`${import.meta.dir}/../../..`);

/** Not there before the first build, and of no interest here. */
const absent = ["*/build/launcher.b64.txt", "*/build/build-info.json"];
const { code, cold } = await bundleHotPath("src/cli/main.ts", "build", absent);
const imports = new Bun.Transpiler({ loader: "js" }).scanImports(code);
const workspace = await bundleHotPath("src/cli/workspace-run.ts", "build", absent);
const workspaceEnd = await bundleHotPath("src/cli/workspace-end.ts", "build", absent);
const lsm = await bundleHotPath("src/linux/bpf/run.ts", "build", absent);

/** Sources that a bundle in build/ imports statically, each once. */
function loadedBy(text: string, loader: "js" | "ts" = "js"): string[] {
  const loaded = new Bun.Transpiler({ loader })
    .scanImports(text)
    .filter(({ kind, path }) => kind !== "dynamic-import" && !path.includes("launcher.b64"))
    .map(({ path }) => (path.startsWith(".") ? normalize(`build/${path}`) : path));
  return [...new Set(loaded)].sort();
}

/** All that a module imports, statically or not, as one text. */
async function whole(file: string): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [file], target: "bun", format: "esm", external: absent });
  return (await Promise.all(outputs.map((output) => output.text()))).join("\n");
}

test("the hot path imports nothing but the C library", async () => {
  expect(loadedBy(code)).toEqual(["src/linux/ffi.ts"]);
  expect(loadedBy(await Bun.file("src/linux/ffi.ts").text(), "ts")).toEqual(["bun:ffi"]);
});

test.each([
  ["before its zone is started", workspace],
  ["while that is being built", workspaceEnd],
])("a run with a workspace imports one module %s, and what all share", (_, { code: text }) => {
  expect(loadedBy(text)).toEqual([...SHARED].sort());
  expect(text, "the tree code of the platform").toContain("openat2");
});

test("what comes after the zone is not loaded before it", () => {
  expect(workspaceEnd.code).toContain("collectChanges");
  for (const word of ["collectChanges", "removeTree", "describeChange"]) expect(workspace.code).not.toContain(word);
});

test("what a kept layer does not need is imported when it is asked for", async () => {
  const asked = {
    "src/workspace/git-view.ts": "core.worktree",
    "src/cli/rw-workspace.ts": ".held-",
    "src/workspace/uncommon.ts": "class Copier",
  };
  const askedLater = {
    "src/workspace/apply/apply.ts": "class LayerWriter",
    "src/workspace/task-patch.ts": "GIT binary patch",
  };
  expect(workspace.cold.toSorted()).toEqual([...Object.keys(asked), "src/cli/workspace-end.ts"].sort());
  expect(workspaceEnd.cold.toSorted()).toEqual(Object.keys(askedLater).sort());
  for (const [source, mark] of Object.entries({ ...asked, ...askedLater })) {
    expect(await whole(source), `${source} has it`).toContain(mark);
    expect(workspace.code, source).not.toContain(mark);
    expect(workspaceEnd.code, source).not.toContain(mark);
  }
});

test("a start of a guarded zone imports one module more; lists, denials and remains of the dead are asked for", async () => {
  expect(loadedBy(lsm.code)).toEqual(["src/linux/ffi.ts"]);
  const asked = {
    "src/bpf/address-rules.ts": "is no endpoint",
    "src/linux/bpf/denials.ts": "lsm_dropped",
    "src/linux/bpf/registry.ts": "rauha_events",
    "src/linux/bpf/sweep.ts": "looksWhenOneIsGone",
  };
  expect(lsm.cold.toSorted()).toEqual(Object.keys(asked).sort());
  for (const [source, mark] of Object.entries(asked)) {
    expect(await whole(source), `${source} has it`).toContain(mark);
    expect(lsm.code, source).not.toContain(mark);
  }
  expect(code, "nothing of it is on the path of a zone without programs").not.toContain("rauha_zones");
});

test("the record of a zone without programs is one module that imports nothing more", async () => {
  const note = await bundleHotPath("src/linux/zones/note.ts", "build", absent);
  expect(loadedBy(note.code)).toEqual(["src/linux/ffi.ts"]);
  expect(note.cold).toEqual([]);
  expect(code, "it is loaded while the zone is built").not.toContain("XDG_RUNTIME_DIR names no runtime directory");
});

test("what it imports when it needs it is named from the folder of the bundle", () => {
  const named = imports.filter(({ kind }) => kind === "dynamic-import").map(({ path }) => path);
  const files = cold.map((path) => PARTS[path] ?? basename(path));
  expect(named.map((path) => basename(path)).sort()).toEqual(files.sort());
  // These modules are made by the build, beside the hot path's.
  expect(
    named.filter((path) => !existsSync(`build/${path}`) && !Object.values(PARTS).includes(basename(path))),
  ).toEqual([]);
  expect(cold).toContain("src/cli/commands.ts");
  expect(cold, "the backend is on the hot path").not.toContain("src/linux/backend.ts");
  expect(code, "the backend is on the hot path").toContain("rauha-launcher");
});

test("a plan that is ready loads no planner, and any other does", async () => {
  const mark = "/etc/java-21-openjdk";
  expect(code, "the sections that were run when Rauha was built").not.toContain(mark);
  expect(cold).toContain("src/run/plan/whole.ts");
  expect(await whole("src/run/plan/whole.ts")).toContain(mark);
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
