/** Layers that no honest task leaves behind: whatever they hold, nothing outside the repository changes. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { treeFs as fs } from "../../../src/linux/tree/tree-fs.ts";
import { removeTree } from "../../../src/run/remove-tree.ts";
import { TreeError } from "../../../src/run/tree-fs.ts";
import { snapshot } from "../../support/byte-trees.ts";
import { applyHandMade, changesOf, handMadeTask, makeWhiteout, setAttribute } from "../../support/kept-task.ts";

/** Applies a layer with force, and holds what lies outside against before. */
function attack(fill: Parameters<typeof handMadeTask>[0]) {
  const made = handMadeTask((paths) => {
    writeFileSync(`${paths.outside}/precious`, "precious\n");
    fill(paths);
  });
  const before = snapshot(`${made.folder}/outside`, "identity");
  const outcome = applyHandMade(made, { force: true });
  expect(snapshot(`${made.folder}/outside`, "identity")).toEqual(before);
  return { ...made, outcome };
}

describe("symlinks of the host's repository", () => {
  test("a directory of the layer where the host has a link to elsewhere replaces the link, and goes not through it", () => {
    const { repo, outcome } = attack(({ repo, upper, outside }) => {
      symlinkSync(outside, `${repo}/dir`);
      mkdirSync(`${upper}/dir`);
      writeFileSync(`${upper}/dir/precious`, "stolen\n");
    });
    expect(outcome).toMatchObject({ done: true });
    expect(lstatSync(`${repo}/dir`).isDirectory()).toBe(true);
    expect(readFileSync(`${repo}/dir/precious`, "utf8")).toBe("stolen\n");
  });

  test("a deletion below a link deletes nothing", () => {
    const { outcome } = attack(({ repo, upper, outside }) => {
      symlinkSync(outside, `${repo}/dir`);
      mkdirSync(`${upper}/dir`);
      makeWhiteout(`${upper}/dir/precious`);
    });
    expect(outcome.done).toBe(true);
  });

  test("an opaque directory over a link deletes the link alone", () => {
    const { repo } = attack(({ repo, upper, outside }) => {
      symlinkSync(outside, `${repo}/dir`);
      mkdirSync(`${upper}/dir`);
      setAttribute(`${upper}/dir`, "user.overlay.opaque", "y");
    });
    expect(lstatSync(`${repo}/dir`).isDirectory()).toBe(true);
  });

  test("a file over a link replaces the link", () => {
    const { repo } = attack(({ repo, upper, outside }) => {
      symlinkSync(`${outside}/precious`, `${repo}/file`);
      writeFileSync(`${upper}/file`, "new\n");
    });
    expect(lstatSync(`${repo}/file`).isFile()).toBe(true);
  });

  test("a mode is changed on the entry, never on what a link points to", () => {
    const { repo } = attack(({ repo, upper, outside }) => {
      symlinkSync(`${outside}/precious`, `${repo}/file`);
      symlinkSync(`${outside}/precious`, `${upper}/file`);
      writeFileSync(`${repo}/other`, "same\n", { mode: 0o600 });
      writeFileSync(`${upper}/other`, "same\n", { mode: 0o644 });
      chmodSync(`${upper}/other`, 0o777);
    });
    expect(lstatSync(`${repo}/other`).mode & 0o777).toBe(0o777);
  });
});

describe("symlinks of the layer", () => {
  test("one that points out is made as it is, and what it points to is never read", () => {
    const { repo } = attack(({ upper, outside }) => {
      symlinkSync(outside, `${upper}/dir`);
      symlinkSync("/etc/shadow", `${upper}/shadow`);
      symlinkSync("../../../../../..", `${upper}/up`);
    });
    expect(lstatSync(`${repo}/dir`).isSymbolicLink()).toBe(true);
    expect(lstatSync(`${repo}/shadow`).isSymbolicLink()).toBe(true);
  });

  test("the layer's own directory as a link is refused", () => {
    const made = handMadeTask(({ upper, outside }) => {
      writeFileSync(`${outside}/secret`, "secret\n");
      rmSync(upper, { recursive: true });
      symlinkSync(outside, upper);
    });
    expect(applyHandMade(made)).toMatchObject({ done: false, failed: { errno: 20 } });
    expect(existsSync(`${made.repo}/secret`)).toBe(false);
  });
});

describe("what is never made", () => {
  const isRoot = process.getuid?.() === 0;
  const special: readonly (readonly [string, (path: string) => void, string])[] = [
    ["a named pipe", (path) => Bun.spawnSync(["mkfifo", path]), "it is a named pipe"],
    ["a socket", (path) => Bun.listen({ unix: path, socket: { data() {} } }).stop.bind(null), "it is a socket"],
    ["a set-user-id file", (path) => setId(path, 0o4755), "set-user-id"],
    ["a set-group-id file", (path) => setId(path, 0o2755), "set-group-id"],
    ...(isRoot
      ? [["a device", (path: string) => Bun.spawnSync(["mknod", path, "c", "1", "3"]), "it is a device node"] as const]
      : []),
  ];

  test.each(special)("%s, even with --force, and nothing else of the layer is written either", (_, make, why) => {
    const { repo, outcome } = attack(({ upper }) => {
      writeFileSync(`${upper}/a-file`, "x");
      make(`${upper}/special`);
    });
    expect(outcome).toMatchObject({ done: false, obstacles: [{ path: "special", kind: "refused" }] });
    expect(JSON.stringify(outcome)).toContain(why);
    expect(existsSync(`${repo}/a-file`)).toBe(false);
    expect(existsSync(`${repo}/special`)).toBe(false);
  });

  test("other paths of such a layer can still be chosen", () => {
    const made = handMadeTask(({ upper }) => {
      writeFileSync(`${upper}/good`, "x");
      setId(`${upper}/bad`, 0o4755);
    });
    expect(applyHandMade(made, { chosen: new Map([[0, ["good"]]]) })).toMatchObject({
      done: true,
      written: 1,
      left: 1,
    });
    expect(existsSync(`${made.repo}/bad`)).toBe(false);
  });

  test("set-id bits of a directory", () => {
    const { repo } = attack(({ upper }) => {
      mkdirSync(`${upper}/dir`);
      chmodSync(`${upper}/dir`, 0o2775);
    });
    expect(lstatSync(`${repo}/dir`).mode & 0o7777).toBe(0o775);
  });

  test("redirected directories and files without content", () => {
    const made = handMadeTask(({ upper, repo }) => {
      writeFileSync(`${repo}/file`, "old");
      mkdirSync(`${upper}/dir`);
      setAttribute(`${upper}/dir`, "user.overlay.redirect", "/../../outside");
      writeFileSync(`${upper}/file`, "");
      setAttribute(`${upper}/file`, "user.overlay.metacopy", "");
    });
    const outcome = applyHandMade(made, { force: true });
    expect(outcome).toMatchObject({ done: false, obstacles: [{ path: "dir" }, { path: "file" }] });
    expect(readFileSync(`${made.repo}/file`, "utf8")).toBe("old");
  });
});

function setId(path: string, mode: number): void {
  writeFileSync(path, "#!/bin/sh\nid\n");
  chmodSync(path, mode);
}

describe("names", () => {
  test.each(["..", ".", "", "a/b", "nul\0byte"])("%j is no entry's name for the kernel", (name) => {
    const root = fs.root("/tmp");
    for (const act of [
      () => fs.createFile(root, name),
      () => fs.unlink(root, name),
      () => fs.makeDirectory(root, name, 0o700),
      () => fs.rename(root, name, root, "x"),
      () => fs.makeSymlink(root, name, "x"),
    ])
      expect(act).toThrow(TreeError);
    fs.close(root);
  });

  test.each(["../outside", "/etc", "dir/../../outside", "link"])("%s leads nowhere from a root", (path) => {
    const made = handMadeTask(({ repo, outside }) => {
      mkdirSync(`${repo}/dir`);
      symlinkSync(outside, `${repo}/link`);
    });
    const root = fs.root(made.repo);
    expect(() => fs.directory(root, path)).toThrow(TreeError);
    fs.close(root);
  });
});

describe("depth", () => {
  test("a layer deeper than paths can be named is refused at the place, and removed whole", () => {
    const made = handMadeTask(() => {});
    const name = "d".repeat(200);
    let dir = fs.root(made.upper);
    for (let i = 0; i < 40; i++) {
      fs.makeDirectory(dir, name, 0o700);
      const next = fs.directory(dir, name);
      fs.close(dir);
      dir = next;
    }
    fs.close(dir);
    expect(applyHandMade(made)).toMatchObject({ done: false, obstacles: [{ why: "its path is too long" }] });
    expect(Object.values(changesOf(made)).every((kind) => kind === "added")).toBe(true);
    renameSync(made.upper, `${made.folder}/deep`);
    const root = fs.root(made.folder);
    removeTree(fs, root, "deep");
    fs.close(root);
    expect(existsSync(`${made.folder}/deep`)).toBe(false);
  });
});
