import { expect, test } from "bun:test";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { treeFs as fs } from "../../src/linux/tree/tree-fs.ts";
import { removeTree } from "../../src/run/remove-tree.ts";
import { TreeError } from "../../src/run/tree-fs.ts";
import { joinPath } from "../../src/workspace/bytes.ts";
import { patchTask } from "../../src/workspace/task-patch.ts";
import { snapshot } from "../support/byte-trees.ts";
import { applyHandMade, changesOf, type HandMade, handMadeTask } from "../support/kept-task.ts";
import { growTree } from "../support/random-edits.ts";
import { Random } from "../unit/policy/random.ts";
import { fuzzTimeoutMs, seeds } from "./seeds.ts";

/**
 * Layers are a task's work, and hostile: whatever one holds, reading, diffing and applying it end, touch nothing outside the
 * repository, and what is applied no longer differs.
 */

const attributes: readonly (readonly [string, string])[] = [
  ["user.overlay.opaque", "y"],
  ["user.overlay.opaque", "x"],
  ["user.overlay.opaque", "\0\xff"],
  ["user.overlay.whiteout", ""],
  ["user.overlay.redirect", "/../../../outside"],
  ["user.overlay.metacopy", ""],
  ["user.overlay.origin", "\0"],
  ["user.rauha.mode", "7777777"],
  ["user.rauha.mode", "755"],
  ["user.comment", "mine"],
];

/** Sprinkles deletions, attributes, odd modes and special files over a layer. */
function spoil(random: Random, upper: string): void {
  const root = fs.root(upper);
  const pending = [""];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const dir = fs.directory(root, path);
    if (random.chance(0.2)) tryTo(() => fs.makeWhiteout(dir, `gone-${random.int(0, 3)}`));
    if (random.chance(0.2)) tryTo(() => fs.makeWhiteout(dir, random.chance(0.5) ? "a" : "b"));
    for (const name of fs.list(dir)) {
      const type = fs.stat(dir, name)?.type;
      if (type === "directory") pending.push(joinPath(path, name));
      if ((type === "directory" || type === "file") && random.chance(0.2)) {
        const [key, value] = attributes[random.int(0, attributes.length - 1)] ?? ["user.x", ""];
        const fd = type === "directory" ? fs.directory(dir, name) : fs.openFile(dir, name);
        tryTo(() => fs.setAttribute(fd, key, Buffer.from(value, "latin1")));
        fs.close(fd);
      }
      if (type === "file" && random.chance(0.05)) fs.setEntryMode(dir, name, random.int(0, 0o7777));
    }
    fs.close(dir);
  }
  fs.close(root);
}

function tryTo(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
  }
}

function build(seed: number): HandMade {
  const random = new Random(seed);
  return handMadeTask(({ repo, upper, outside }) => {
    writeFileSync(`${outside}/precious`, "precious\n");
    growTree(random.int(0, 1e6), repo);
    growTree(random.int(0, 1e6), upper);
    spoil(random, upper);
    tryTo(() => symlinkSync(outside, `${repo}/${random.chance(0.5) ? "src" : "node"}-link`));
    if (random.chance(0.1)) chmodSync(upper, 0o711);
  });
}

test(
  "whatever a layer holds",
  () => {
    for (const seed of seeds(150)) {
      const made = build(seed);
      const outside = snapshot(`${made.folder}/outside`, "identity");
      const before = snapshot(made.repo, "identity");
      patchTask(fs, made.task.fd, made.record, { binary: "patch" });
      expect({ seed, repo: snapshot(made.repo, "identity") }).toEqual({ seed, repo: before });
      const outcome = applyHandMade(made, { force: true });
      expect({ seed, outside: snapshot(`${made.folder}/outside`, "identity") }).toEqual({ seed, outside });
      if (outcome.done) expect({ seed, left: changesOf(made) }).toEqual({ seed, left: {} });
      else if ("obstacles" in outcome)
        expect({ seed, repo: snapshot(made.repo, "identity") }).toEqual({ seed, repo: before });
      else throw new Error(`seed ${seed}: ${outcome.failed.message}`);
      fs.close(made.task.fd);
      fs.close(made.tasks);
      const folder = fs.root(made.folder);
      for (const name of fs.list(folder)) removeTree(fs, folder, name);
      fs.close(folder);
    }
  },
  fuzzTimeoutMs,
);
