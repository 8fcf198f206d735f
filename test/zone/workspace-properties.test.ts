/** Random trees, random edits: copy-on-write and then apply equals editing in place; then discard equals nothing at all. */
import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { gitSnapshot, snapshot } from "../support/byte-trees.ts";
import { makeFolder } from "../support/folders.ts";
import { editTree, growTree } from "../support/random-edits.ts";
import { rauha, sandbox } from "../support/rauha.ts";

const checkout = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const program = `${checkout}/test/support/random-edits.ts`;
const folder = makeFolder("layers");
const env = { XDG_STATE_HOME: `${folder}/state` };
const rounds = Number(process.env["RAUHA_TEST_ROUNDS"] ?? 6);
const first = Number(process.env["RAUHA_TEST_SEED"] ?? 1);
const seeds = Array.from({ length: rounds }, (_, index) => first + index);

/** Two equal trees. */
function twins(name: string, seed: number): { readonly repo: string; readonly direct: string } {
  const [repo, direct] = [`${folder}/${name}-${seed}`, `${folder}/${name}-${seed}-direct`];
  for (const path of [repo, direct]) {
    mkdirSync(path);
    growTree(seed, path);
  }
  expect(snapshot(repo)).toEqual(snapshot(direct));
  return { repo, direct };
}

function edits(repo: string, seed: number, ...flags: string[]) {
  const command = [process.execPath, program, String(seed), repo];
  return sandbox(["--repo-path", repo, "--ro-bind", checkout, ...flags], command, { env });
}

async function keptTasks(): Promise<unknown[]> {
  const { stdout } = await rauha(["changes", "--json"], { env });
  return JSON.parse(stdout).tasks;
}

describe("the same edits, copy-on-write and in place", () => {
  test.each(seeds)("seed %d: apply makes the same tree, and leaves alone what was not edited", async (seed) => {
    const { repo, direct } = twins("apply", seed);
    const before = snapshot(repo, "identity");
    const { result } = await edits(repo, seed);
    expect({ stderr: result.stderr, status: result.status }).toEqual({ stderr: "", status: "succeeded" });
    expect(snapshot(repo, "identity")).toEqual(before);

    const original = snapshot(direct);
    editTree(seed, direct);
    const edited = snapshot(direct);
    if (result.workspace?.state === "kept") {
      const applied = await rauha(["apply", result.task_id], { env });
      expect(applied).toMatchObject({ exitCode: 0 });
    }
    expect(snapshot(repo)).toEqual(edited);
    const after = snapshot(repo, "identity");
    const untouched = Object.keys(original).filter(
      (path) => original[path] === edited[path] && original[path]?.startsWith("file"),
    );
    for (const path of untouched) expect([path, after[path]]).toEqual([path, before[path]]);
    expect(await keptTasks()).toEqual([]);
  });

  test.each(seeds)("seed %d: discard is as if nothing had happened, by bytes, inodes and times", async (seed) => {
    const { repo } = twins("discard", seed);
    const before = snapshot(repo, "identity");
    const { result } = await edits(repo, seed, "--on-success", "discard");
    expect(result.status).toBe("succeeded");
    expect(["discarded", "unchanged"]).toContain(result.workspace?.state ?? "");
    expect(snapshot(repo, "identity")).toEqual(before);
    expect(await keptTasks()).toEqual([]);
  });

  test.each(seeds)("seed %d: git apply of the patch makes what apply makes", async (seed) => {
    const { repo, direct } = twins("patch", seed);
    const patch = `${folder}/${seed}.patch`;
    const { result, stderr } = await edits(repo, seed, "--on-success", "apply", "--patch", patch);
    expect({ status: result.status, error: result.error, stderr }).toEqual({
      status: "succeeded",
      error: null,
      stderr: "",
    });
    if (result.workspace?.state === "unchanged") return;
    const git = Bun.spawnSync(["git", "apply", "--whitespace=nowarn", "--allow-empty", patch], {
      cwd: direct,
      env: { ...process.env, GIT_DIR: "/nonexistent" },
    });
    expect(git.stderr.toString()).toBe("");
    expect(gitSnapshot(direct)).toEqual(gitSnapshot(repo));
  });
});
