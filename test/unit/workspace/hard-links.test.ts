/** Names of one file: what the task linked is linked by apply, and nothing else ever is. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { treeFs as fs } from "../../../src/linux/tree/tree-fs.ts";
import { LayerWriter } from "../../../src/workspace/apply/write.ts";
import { collectChanges } from "../../../src/workspace/changes.ts";
import { copyLayer, makeCopy } from "../../../src/workspace/copy.ts";
import { closeLayer, openLayer } from "../../../src/workspace/task-layers.ts";
import { TreeCursor } from "../../../src/workspace/tree-cursor.ts";
import { makeFolder, writeFiles } from "../../support/folders.ts";
import { applyHandMade, changesOf, type HandMade, handMadeTask, makeWhiteout } from "../../support/kept-task.ts";

/** Names of one file in a folder, as `a=b c`, in the order of names. */
function groups(folder: string, ...names: string[]): string[] {
  const byInode = new Map<string, string[]>();
  for (const name of names) {
    const { ino, dev } = lstatSync(`${folder}/${name}`);
    byInode.set(`${dev}:${ino}`, [...(byInode.get(`${dev}:${ino}`) ?? []), name]);
  }
  return [...byInode.values()].map((group) => group.sort().join("=")).sort();
}

const read = (made: HandMade, name: string) => readFileSync(`${made.repo}/${name}`, "utf8");

describe("what a task linked", () => {
  test("new names of one file are one file, across directories", () => {
    const made = handMadeTask(({ repo, upper }) => {
      mkdirSync(`${repo}/old`);
      mkdirSync(`${upper}/old`);
      mkdirSync(`${upper}/new`);
      writeFileSync(`${upper}/a`, "one\n");
      chmodSync(`${upper}/a`, 0o750);
      for (const name of ["old/b", "new/c"]) linkSync(`${upper}/a`, `${upper}/${name}`);
      writeFileSync(`${upper}/other`, "one\n");
    });
    expect(applyHandMade(made)).toMatchObject({ done: true, written: 5 });
    expect(groups(made.repo, "a", "new/c", "old/b", "other")).toEqual(["a=new/c=old/b", "other"]);
    expect([lstatSync(`${made.repo}/old/b`).mode & 0o777, read(made, "new/c")]).toEqual([0o750, "one\n"]);
  });

  test("a name more of a file of the repository is linked to that file, which stays what it is", () => {
    const made = handMadeTask(({ repo, upper }) => {
      writeFileSync(`${repo}/x`, "host\n");
      writeFileSync(`${upper}/x`, "host\n");
      linkSync(`${upper}/x`, `${upper}/a`);
      linkSync(`${upper}/x`, `${upper}/y`);
    });
    const before = lstatSync(`${made.repo}/x`);
    expect(changesOf(made)).toEqual({ a: "added", y: "added" });
    expect(applyHandMade(made)).toMatchObject({ done: true });
    expect(groups(made.repo, "a", "x", "y")).toEqual(["a=x=y"]);
    expect(lstatSync(`${made.repo}/x`).ino).toBe(before.ino);
    expect(lstatSync(`${made.repo}/x`).mtimeMs).toBe(before.mtimeMs);
    expect(changesOf(made)).toEqual({});
  });

  test("linked and then written, all names have what was written", () => {
    const made = handMadeTask(({ repo, upper }) => {
      writeFileSync(`${repo}/x`, "host\n");
      writeFileSync(`${upper}/x`, "task\n");
      linkSync(`${upper}/x`, `${upper}/a`);
    });
    expect(applyHandMade(made)).toMatchObject({ done: true });
    expect([groups(made.repo, "a", "x"), read(made, "x"), read(made, "a")]).toEqual([["a=x"], "task\n", "task\n"]);
  });

  test.each(["a", "z"])("linked and then made executable, whatever name comes first (%s)", (name) => {
    const made = handMadeTask(({ repo, upper }) => {
      writeFileSync(`${repo}/x`, "host\n");
      writeFileSync(`${upper}/x`, "host\n");
      chmodSync(`${upper}/x`, 0o755);
      linkSync(`${upper}/x`, `${upper}/${name}`);
    });
    expect(changesOf(made)).toEqual({ [name]: "added", x: "mode_changed" });
    expect(applyHandMade(made)).toMatchObject({ done: true });
    expect([groups(made.repo, name, "x"), lstatSync(`${made.repo}/x`).mode & 0o777]).toEqual([
      [[name, "x"].sort().join("=")],
      0o755,
    ]);
  });

  test("of two equal files made one, the second is a change, and becomes the first", () => {
    const made = handMadeTask(({ repo, upper }) => {
      for (const name of ["p", "q", "r"]) writeFileSync(`${repo}/${name}`, "same\n");
      writeFileSync(`${upper}/p`, "same\n");
      linkSync(`${upper}/p`, `${upper}/q`);
    });
    expect(changesOf(made)).toEqual({ q: "modified" });
    expect(applyHandMade(made)).toMatchObject({ done: true });
    expect(groups(made.repo, "p", "q", "r")).toEqual(["p=q", "r"]);
    expect(changesOf(made)).toEqual({});
  });

  test("a file with thousands of names is read like any other", () => {
    const made = handMadeTask(({ upper }) => {
      writeFileSync(`${upper}/0`, "");
      for (let i = 1; i < 5000; i++) linkSync(`${upper}/0`, `${upper}/${i}`);
    });
    expect(Object.keys(changesOf(made))).toHaveLength(5000);
  });

  test("names of one file on the host that are one in the layer are no change", () => {
    const made = handMadeTask(({ repo, upper }) => {
      writeFileSync(`${repo}/p`, "same\n");
      linkSync(`${repo}/p`, `${repo}/q`);
      writeFileSync(`${upper}/p`, "same\n");
      linkSync(`${upper}/p`, `${upper}/q`);
    });
    expect(changesOf(made)).toEqual({});
  });

  test("a file of the host with two names: one removed, the other changed, are both written", () => {
    const made = handMadeTask(({ repo, upper }) => {
      writeFileSync(`${repo}/p`, "host\n");
      for (const name of ["q", "r"]) linkSync(`${repo}/p`, `${repo}/${name}`);
      makeWhiteout(`${upper}/p`);
      writeFileSync(`${upper}/q`, "task\n");
      writeFileSync(`${upper}/r`, "host\n");
      chmodSync(`${upper}/r`, 0o700);
    });
    expect(changesOf(made)).toEqual({ p: "deleted", q: "modified", r: "mode_changed" });
    expect(applyHandMade(made)).toMatchObject({ done: true, written: 3 });
    expect([read(made, "q"), read(made, "r"), lstatSync(`${made.repo}/r`).mode & 0o777]).toEqual([
      "task\n",
      "host\n",
      0o700,
    ]);
  });
});

describe("a part of what was linked", () => {
  const linkedNew = () =>
    handMadeTask(({ upper }) => {
      writeFileSync(`${upper}/a`, "one\n");
      for (const name of ["b", "c"]) linkSync(`${upper}/a`, `${upper}/${name}`);
    });

  test("one name of a new file is a file; the others, applied later, become it", () => {
    const made = linkedNew();
    const only = (name: string) => applyHandMade(made, { chosen: new Map([[0, [name]]]) });
    expect(only("b")).toMatchObject({ done: true, written: 1, left: 2 });
    expect(() => lstatSync(`${made.repo}/a`)).toThrow();
    expect(only("c")).toMatchObject({ done: true, written: 1, left: 1 });
    expect(only("a")).toMatchObject({ done: true, written: 1, left: 0 });
    expect(groups(made.repo, "a", "b", "c")).toEqual(["a=b=c"]);
  });

  test("a name of a file whose mode is still to change leaves that as it is", () => {
    const made = handMadeTask(({ repo, upper }) => {
      writeFileSync(`${repo}/x`, "host\n");
      writeFileSync(`${upper}/x`, "host\n");
      chmodSync(`${upper}/x`, 0o700);
      linkSync(`${upper}/x`, `${upper}/y`);
    });
    const mode = lstatSync(`${made.repo}/x`).mode & 0o777;
    expect(applyHandMade(made, { chosen: new Map([[0, ["y"]]]) })).toMatchObject({ done: true, left: 1 });
    expect(groups(made.repo, "x", "y")).toEqual(["x", "y"]);
    expect([lstatSync(`${made.repo}/x`).mode & 0o777, lstatSync(`${made.repo}/y`).mode & 0o777]).toEqual([mode, 0o700]);
  });
});

describe("what may never be linked", () => {
  /** Writes the changes of a layer, after something happened on the host that the check did not see. */
  function writeAfter(made: HandMade, meanwhile: () => void): string[] {
    const open = openLayer(fs, made.task.fd, made.record, 0);
    const changes = collectChanges(fs, open.layer, open.host);
    meanwhile();
    const writer = new LayerWriter(fs, open.layer, open.host, changes);
    for (const change of changes) writer.write(change);
    writer.finish();
    closeLayer(fs, open);
    return changes.map(({ path }) => path);
  }

  /** `dir/x` of the repository gets the name `y`; beside it lies a secret that is equal to it in all but its place. */
  const hostile = () => {
    let secret = "";
    const made = handMadeTask(({ repo, upper, outside }) => {
      secret = `${outside}/x`;
      for (const folder of [`${repo}/dir`, `${upper}/dir`]) mkdirSync(folder);
      for (const file of [`${repo}/dir/x`, `${upper}/dir/x`, secret]) writeFileSync(file, "equal\n");
      for (const file of [`${repo}/dir/x`, secret]) utimesSync(file, 1, 1);
      linkSync(`${upper}/dir/x`, `${upper}/y`);
    });
    return { made, secret, links: () => lstatSync(secret).nlink };
  };

  test("what a symlink in the place of a directory leads to", () => {
    const { made, secret, links } = hostile();
    const outside = secret.slice(0, -2);
    const written = writeAfter(made, () => {
      renameSync(`${made.repo}/dir`, `${made.repo}/moved`);
      symlinkSync(outside, `${made.repo}/dir`);
    });
    expect([written, read(made, "y"), links()]).toEqual([["y"], "equal\n", 1]);
  });

  test("a symlink in the place of the file, nor what it leads to", () => {
    const { made, secret, links } = hostile();
    writeAfter(made, () => {
      rmSync(`${made.repo}/dir/x`);
      symlinkSync(secret, `${made.repo}/dir/x`);
    });
    expect([lstatSync(`${made.repo}/y`).isFile(), links()]).toEqual([true, 1]);
    expect(readlinkSync(`${made.repo}/dir/x`)).toBe(secret);
  });

  test("another file in its place, even one that is equal", () => {
    const { made, secret } = hostile();
    writeAfter(made, () => renameSync(secret, `${made.repo}/dir/x`));
    expect(groups(made.repo, "dir/x", "y")).toEqual(["dir/x", "y"]);
    expect(read(made, "y")).toBe("equal\n");
  });

  test("the same file, written since", () => {
    const { made } = hostile();
    writeAfter(made, () => writeFileSync(`${made.repo}/dir/x`, "other\n"));
    expect([read(made, "y"), read(made, "dir/x")]).toEqual(["equal\n", "other\n"]);
  });

  test("a set-id file's other names are refused as it is", () => {
    const made = handMadeTask(({ upper }) => {
      writeFileSync(`${upper}/a`, "");
      linkSync(`${upper}/a`, `${upper}/b`);
      chmodSync(`${upper}/a`, 0o4755);
    });
    expect(applyHandMade(made, { force: true })).toMatchObject({
      done: false,
      obstacles: [
        { path: "a", kind: "refused" },
        { path: "b", kind: "refused" },
      ],
    });
  });
});

test("a copy has as one file what is one on the host, and tells what was linked in it", () => {
  const host = writeFiles(makeFolder("host"), { a: "a\n", "dir/lone": "l\n" });
  linkSync(`${host}/a`, `${host}/dir/b`);
  const dir = makeFolder("storage");
  mkdirSync(`${dir}/copy`);
  const storage = fs.root(dir);
  const cursors = () => [new TreeCursor(fs, fs.root(host)), new TreeCursor(fs, fs.root(`${dir}/copy`))] as const;
  const [from, to] = cursors();
  makeCopy(fs, from, to.root, storage);
  expect(groups(`${dir}/copy`, "a", "dir/b", "dir/lone")).toEqual(["a=dir/b", "dir/lone"]);
  const changes = () => {
    const [tree, copy] = cursors();
    return collectChanges(fs, copyLayer(fs, copy, storage), tree).map(({ path, kind, link }) => [
      path,
      kind,
      link?.keeper?.path,
    ]);
  };
  expect(changes()).toEqual([]);
  linkSync(`${dir}/copy/dir/lone`, `${dir}/copy/new`);
  expect(changes()).toEqual([["new", "added", "dir/lone"]]);
  writeFileSync(`${dir}/copy/a`, "written\n");
  expect(changes()).toEqual([
    ["a", "modified", undefined],
    ["dir/b", "modified", undefined],
    ["new", "added", "dir/lone"],
  ]);
});
