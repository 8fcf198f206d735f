/** What apply refuses because the host changed since the task started, and what it does not. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { snapshot } from "../../support/byte-trees.ts";
import { writeFiles } from "../../support/folders.ts";
import { applyHandMade, changesOf, handMadeTask, makeWhiteout, setAttribute } from "../../support/kept-task.ts";

/** A task that started after `fill`; then `meanwhile` happens on the host. */
function task(fill: Parameters<typeof handMadeTask>[0], meanwhile: (repo: string) => void) {
  const made = handMadeTask(fill);
  Bun.sleepSync(25);
  meanwhile(made.repo);
  return made;
}

const modified = (paths: { repo: string; upper: string }) => {
  writeFileSync(`${paths.repo}/file`, "old\n");
  writeFileSync(`${paths.upper}/file`, "task's\n");
};

describe("conflicts", () => {
  test("a file that both changed: nothing is written, and the path is named", () => {
    const made = task(
      (paths) => {
        modified(paths);
        writeFileSync(`${paths.upper}/a-new-file`, "x");
      },
      (repo) => writeFileSync(`${repo}/file`, "host's\n"),
    );
    const outcome = applyHandMade(made);
    expect(outcome).toMatchObject({ done: false, obstacles: [{ path: "file", kind: "conflict" }] });
    expect(snapshot(made.repo)["a-new-file"]).toBeUndefined();
    expect(readFileSync(`${made.repo}/file`, "utf8")).toBe("host's\n");
  });

  test("--force writes the task's version", () => {
    const made = task(modified, (repo) => writeFileSync(`${repo}/file`, "host's\n"));
    expect(applyHandMade(made, { force: true })).toMatchObject({ done: true, written: 1 });
    expect(readFileSync(`${made.repo}/file`, "utf8")).toBe("task's\n");
  });

  test.each<[string, (repo: string) => void]>([
    ["its mode", (repo) => chmodSync(`${repo}/file`, 0o700)],
    [
      "its content, with the old time put back",
      (repo) => {
        writeFileSync(`${repo}/file`, "host's\n");
        utimesSync(`${repo}/file`, 1, 1);
      },
    ],
    ["its links", (repo) => linkSync(`${repo}/file`, `${repo}/other`)],
  ])("a change of %s counts: ctime can't be set back", (_, meanwhile) => {
    expect(applyHandMade(task(modified, meanwhile))).toMatchObject({ done: false, obstacles: [{ path: "file" }] });
  });

  test("a file made by both", () => {
    const made = task(
      ({ upper }) => writeFileSync(`${upper}/new`, "task's\n"),
      (repo) => writeFileSync(`${repo}/new`, "host's\n"),
    );
    expect(applyHandMade(made)).toMatchObject({ done: false, obstacles: [{ path: "new" }] });
  });

  test("a deleted file that the host changed", () => {
    const made = task(
      ({ repo, upper }) => {
        writeFileSync(`${repo}/file`, "old\n");
        makeWhiteout(`${upper}/file`);
      },
      (repo) => writeFileSync(`${repo}/file`, "host's\n"),
    );
    expect(applyHandMade(made)).toMatchObject({ done: false, obstacles: [{ path: "file" }] });
  });

  test.each<[string, (repo: string) => void]>([
    ["changed a file in", (repo) => writeFileSync(`${repo}/dir/sub/file`, "host's\n")],
    ["added a file to", (repo) => writeFileSync(`${repo}/dir/sub/new`, "host's\n")],
  ])("a deleted directory that the host %s", (_, meanwhile) => {
    const made = task(({ repo, upper }) => {
      mkdirSync(`${repo}/dir/sub`, { recursive: true });
      writeFileSync(`${repo}/dir/sub/file`, "old\n");
      makeWhiteout(`${upper}/dir`);
    }, meanwhile);
    expect(changesOf(made)).toEqual({ dir: "deleted" });
    expect(applyHandMade(made)).toMatchObject({ done: false });
    expect(existsSync(`${made.repo}/dir/sub/file`)).toBe(true);
  });

  test("a file that the task changed and the host removed", () => {
    const made = task(
      (paths) => {
        modified(paths);
        // What overlayfs notes on a file that it copied up.
        setAttribute(`${paths.upper}/file`, "user.overlay.origin", "");
      },
      (repo) => rmSync(`${repo}/file`),
    );
    expect(applyHandMade(made)).toMatchObject({ done: false, obstacles: [{ path: "file", kind: "conflict" }] });
  });

  test("a chosen path where there is nothing to write stops everything, --force or not", () => {
    const made = handMadeTask(({ repo, upper }) => {
      writeFiles(repo, { "gone/x": "x", "gone/sub/y": "y", same: "s" });
      makeWhiteout(`${upper}/gone`);
      writeFiles(upper, { new: "n", same: "s" });
    });
    const chosen = new Map([[0, ["new", "nwe", "same", "gone/sub/y", "../new", "new/below"]]]);
    expect(applyHandMade(made, { chosen, force: true })).toEqual({
      done: false,
      obstacles: [
        ["nwe", "the task changed nothing there"],
        ["same", "the task changed nothing there"],
        ["gone/sub/y", "it goes with its directory: name that"],
        ["../new", "the task changed nothing there"],
        ["new/below", "the task changed nothing there"],
      ].map(([path, why]) => ({ path, why, kind: "missing", layer: 0 })) as never,
    });
    expect(existsSync(`${made.repo}/new`)).toBe(false);
    expect(applyHandMade(made, { chosen: new Map([[0, ["", "gone", "new"]]]) })).toMatchObject({ written: 2, left: 0 });
  });

  test("only of the paths that were chosen", () => {
    const made = task(
      (paths) => {
        modified(paths);
        writeFileSync(`${paths.upper}/new`, "x");
      },
      (repo) => writeFileSync(`${repo}/file`, "host's\n"),
    );
    expect(applyHandMade(made, { chosen: new Map([[0, ["new"]]]) })).toMatchObject({ done: true, written: 1, left: 1 });
    expect(changesOf(made)).toEqual({ file: "modified" });
  });
});

describe("no conflict", () => {
  test("a file that both changed to the same", () => {
    const made = task(modified, (repo) => writeFileSync(`${repo}/file`, "task's\n"));
    expect(changesOf(made)).toEqual({});
    expect(applyHandMade(made)).toMatchObject({ done: true, written: 0 });
  });

  test("a file that both deleted", () => {
    const made = task(
      ({ repo, upper }) => {
        writeFileSync(`${repo}/file`, "old\n");
        makeWhiteout(`${upper}/file`);
      },
      (repo) => rmSync(`${repo}/file`),
    );
    expect(applyHandMade(made)).toMatchObject({ done: true, written: 0 });
  });

  test("files of the host that the task did not touch", () => {
    const made = task(modified, (repo) => writeFileSync(`${repo}/other`, "host's\n"));
    expect(applyHandMade(made)).toMatchObject({ done: true, written: 1 });
    expect(readFileSync(`${made.repo}/other`, "utf8")).toBe("host's\n");
  });

  test("an interrupted apply goes on where it was", () => {
    const made = task(
      ({ repo, upper }) => {
        for (const name of ["a", "b", "c"]) {
          writeFileSync(`${repo}/${name}`, "old\n");
          writeFileSync(`${upper}/${name}`, `${name}\n`);
        }
      },
      () => {},
    );
    expect(applyHandMade(made, { chosen: new Map([[0, ["a", "b"]]]) })).toMatchObject({ written: 2 });
    expect(applyHandMade(made)).toMatchObject({ done: true, written: 1 });
    expect(["a", "b", "c"].map((name) => readFileSync(`${made.repo}/${name}`, "utf8")).join("")).toBe("a\nb\nc\n");
  });
});
