/** What a layer says, in every form that overlayfs writes it. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { treeFs as fs } from "../../../src/linux/tree/tree-fs.ts";
import { describeChanges } from "../../../src/workspace/describe.ts";
import { taskChanges } from "../../../src/workspace/task-layers.ts";
import { changesOf, handMadeTask, makeWhiteout, setAttribute } from "../../support/kept-task.ts";

type Fill = Parameters<typeof handMadeTask>[0];
const changes = (fill: Fill) => changesOf(handMadeTask(fill));

describe("kinds", () => {
  test("added, with the directories it lies in", () => {
    const found = changes(({ upper }) => {
      mkdirSync(`${upper}/dir/sub`, { recursive: true });
      writeFileSync(`${upper}/dir/sub/file`, "x");
      symlinkSync("nowhere", `${upper}/link`);
    });
    expect(found).toEqual({ dir: "added", "dir/sub": "added", "dir/sub/file": "added", link: "added" });
  });

  test("modified: other bytes, of the same length too; another target of a link", () => {
    const found = changes(({ repo, upper }) => {
      writeFileSync(`${repo}/a`, "aaa");
      writeFileSync(`${upper}/a`, "bbb");
      symlinkSync("one", `${repo}/link`);
      symlinkSync("two", `${upper}/link`);
    });
    expect(found).toEqual({ a: "modified", link: "modified" });
  });

  test("mode_changed: the same bytes", () => {
    const found = changes(({ repo, upper }) => {
      for (const root of [repo, upper]) {
        writeFileSync(`${root}/a`, "aaa");
        mkdirSync(`${root}/dir`);
      }
      chmodSync(`${upper}/a`, 0o755);
      chmodSync(`${upper}/dir`, 0o700);
    });
    expect(found).toEqual({ a: "mode_changed", dir: "mode_changed" });
  });

  test("type_changed", () => {
    const found = changes(({ repo, upper }) => {
      writeFileSync(`${repo}/a`, "x");
      mkdirSync(`${upper}/a`);
      mkdirSync(`${repo}/b`);
      symlinkSync("a", `${upper}/b`);
    });
    expect(found).toEqual({ a: "type_changed", b: "type_changed" });
  });

  test("deleted: a whiteout; a directory is one change", () => {
    const found = changes(({ repo, upper }) => {
      mkdirSync(`${repo}/dir/sub`, { recursive: true });
      writeFileSync(`${repo}/dir/sub/file`, "x");
      writeFileSync(`${repo}/file`, "x");
      makeWhiteout(`${upper}/dir`);
      makeWhiteout(`${upper}/file`);
    });
    expect(found).toEqual({ dir: "deleted", file: "deleted" });
  });

  test("deleted: what an opaque directory hides, also in directories below it that are not marked", () => {
    const found = changes(({ repo, upper }) => {
      for (const name of ["dir/one", "dir/two", "dir/sub/three"]) {
        mkdirSync(`${repo}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
        writeFileSync(`${repo}/${name}`, name);
      }
      mkdirSync(`${upper}/dir/sub`, { recursive: true });
      writeFileSync(`${upper}/dir/one`, "dir/one");
      setAttribute(`${upper}/dir`, "user.overlay.opaque", "y");
    });
    expect(found).toEqual({ "dir/two": "deleted", "dir/sub/three": "deleted" });
  });

  test("deleted: an empty file marked as a whiteout, in a directory that announces them", () => {
    const found = changes(({ repo, upper }) => {
      mkdirSync(`${repo}/dir`);
      writeFileSync(`${repo}/dir/file`, "x");
      mkdirSync(`${upper}/dir`);
      writeFileSync(`${upper}/dir/file`, "");
      setAttribute(`${upper}/dir`, "user.overlay.opaque", "x");
      setAttribute(`${upper}/dir/file`, "user.overlay.whiteout", "");
    });
    expect(found).toEqual({ "dir/file": "deleted" });
  });
});

describe("what is no change", () => {
  test("a file that was copied up and left as it was", () => {
    const found = changes(({ repo, upper }) => {
      for (const root of [repo, upper]) writeFileSync(`${root}/a`, "same");
    });
    expect(found).toEqual({});
  });

  test("a directory that only holds changes", () => {
    const found = changes(({ repo, upper }) => {
      for (const root of [repo, upper]) mkdirSync(`${root}/dir`);
      writeFileSync(`${upper}/dir/new`, "x");
    });
    expect(found).toEqual({ "dir/new": "added" });
  });

  test("a deletion of what the host has not", () => {
    expect(changes(({ upper }) => makeWhiteout(`${upper}/gone`))).toEqual({});
  });
});

describe("attributes", () => {
  test("another user attribute is a modification; overlayfs' own are none", () => {
    const found = changes(({ repo, upper }) => {
      for (const root of [repo, upper]) for (const name of ["a", "b"]) writeFileSync(`${root}/${name}`, "same");
      setAttribute(`${upper}/a`, "user.comment", "hello");
      setAttribute(`${upper}/b`, "user.overlay.origin", "x");
    });
    expect(found).toEqual({ a: "modified" });
  });
});

describe("directories that nobody may look into", () => {
  test("are read all the same, and keep their mode in what is told", () => {
    const made = handMadeTask(({ upper }) => {
      mkdirSync(`${upper}/closed`);
      writeFileSync(`${upper}/closed/file`, "x", { mode: 0 });
      chmodSync(`${upper}/closed`, 0);
    });
    for (let again = 0; again < 2; again++) {
      const [layer] = taskChanges(fs, made.task.fd, made.record);
      const { changes: listed } = describeChanges(layer === undefined ? [] : [layer]);
      expect(listed.map(({ path, mode }) => [path, mode])).toEqual([
        ["closed", "0000"],
        ["closed/file", "0000"],
      ]);
    }
    chmodSync(`${made.upper}/closed`, 0o700);
  });
});

describe("the list of a result", () => {
  test("is bounded, and counts what it leaves out", () => {
    const made = handMadeTask(({ upper }) => {
      for (let i = 0; i < 30; i++) writeFileSync(`${upper}/${String(i).padStart(2, "0")}`, "x");
    });
    const { changes: listed, omitted } = describeChanges(taskChanges(fs, made.task.fd, made.record), 10);
    expect([listed.length, omitted, listed[9]?.path]).toEqual([10, 20, "09"]);
  });

  test("carries names that are no UTF-8 without loss", () => {
    const made = handMadeTask(() => {});
    const dir = fs.root(made.upper);
    fs.close(fs.createFile(dir, "\xffx"));
    fs.close(dir);
    const [change] = describeChanges(taskChanges(fs, made.task.fd, made.record)).changes;
    expect(change?.path).toBe("\ufffdx");
    expect(Buffer.from(change?.path_base64 ?? "", "base64")).toEqual(Buffer.from([0xff, 0x78]));
  });

  test("has sizes of files and links, and none of directories and deletions", () => {
    const made = handMadeTask(({ repo, upper }) => {
      writeFileSync(`${upper}/file`, "four");
      mkdirSync(`${upper}/dir`);
      writeFileSync(`${repo}/gone`, "x");
      makeWhiteout(`${upper}/gone`);
    });
    const { changes: listed } = describeChanges(taskChanges(fs, made.task.fd, made.record));
    expect(listed.map(({ path, size }) => [path, size])).toEqual([
      ["dir", null],
      ["file", 4],
      ["gone", null],
    ]);
    expect(statSync(made.repo).isDirectory()).toBe(true);
  });
});
