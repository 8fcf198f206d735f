/** Kept tasks on disk: found, named, locked, swept, and read with suspicion. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { treeFs as fs } from "../../../src/linux/tree/tree-fs.ts";
import { removeTree } from "../../../src/run/remove-tree.ts";
import { collectChanges } from "../../../src/workspace/changes.ts";
import { choosePaths } from "../../../src/workspace/choose.ts";
import { copyLayer, makeCopy } from "../../../src/workspace/copy.ts";
import { openMade } from "../../../src/workspace/files.ts";
import { findTask } from "../../../src/workspace/find.ts";
import { hasForeign } from "../../../src/workspace/foreign.ts";
import {
  createTask,
  finishRecord,
  listTasks,
  openTask,
  removeTask,
  sweepTasks,
  tasksPath,
} from "../../../src/workspace/store.ts";
import { decodeRecord, encodeRecord } from "../../../src/workspace/task-record.ts";
import { TreeCursor } from "../../../src/workspace/tree-cursor.ts";
import { snapshot } from "../../support/byte-trees.ts";
import { makeFolder, writeFiles } from "../../support/folders.ts";
import { handMadeTask } from "../../support/kept-task.ts";
import { editTree, growTree } from "../../support/random-edits.ts";

describe("where tasks are kept", () => {
  test.each<[Record<string, string>, string | undefined]>([
    [{ XDG_STATE_HOME: "/s", HOME: "/h" }, "/s/rauha/tasks"],
    [{ XDG_STATE_HOME: "/s/" }, "/s/rauha/tasks"],
    [{ XDG_STATE_HOME: "relative", HOME: "/h" }, "/h/.local/state/rauha/tasks"],
    [{ HOME: "/h/" }, "/h/.local/state/rauha/tasks"],
    [{}, undefined],
  ])("%j", (env, path) => {
    expect(tasksPath(env)).toBe(path);
  });
});

describe("a task", () => {
  test("is busy while someone holds it, and free after", () => {
    const { tasks, task } = handMadeTask(() => {});
    expect([listTasks(fs, tasks)[0]?.busy, openTask(fs, tasks, task.id)]).toEqual([true, undefined]);
    fs.close(task.fd);
    expect(listTasks(fs, tasks)[0]?.busy).toBe(false);
    const again = openTask(fs, tasks, task.id);
    expect(again?.id).toBe(task.id);
    if (again !== undefined) removeTask(fs, tasks, again);
    expect(listTasks(fs, tasks)).toEqual([]);
  });

  test("half made or half removed is no task, and is swept unless it is being worked on", () => {
    const { folder, tasks } = handMadeTask(() => {});
    const place = `${folder}/state/rauha/tasks`;
    for (const name of [".new-task_1", ".gone-task_2", ".new-task_3"])
      writeFiles(`${place}/${name}`, { "0/upper/x": "x" });
    chmodSync(`${place}/.new-task_1/0/upper`, 0);
    const held = fs.directory(tasks, ".new-task_3");
    fs.lock(held);
    expect(listTasks(fs, tasks)).toHaveLength(1);
    sweepTasks(fs, tasks);
    expect(readdirSync(place).filter((name) => name.startsWith("."))).toEqual([".new-task_3"]);
    fs.close(held);
    sweepTasks(fs, tasks);
    expect(existsSync(`${place}/.new-task_3`)).toBe(false);
  });

  test("what belongs to another id is seen, unless one may not look at it", () => {
    const folder = writeFiles(makeFolder("foreign"), { "a/b/c": "x", d: "x" });
    symlinkSync("/proc/1", `${folder}/a/link`);
    const uid = process.getuid?.() ?? -1;
    const root = fs.root(folder);
    expect([hasForeign(fs, root, uid), hasForeign(fs, root, uid + 1)]).toEqual([false, true]);
    chmodSync(`${folder}/a`, 0);
    expect(hasForeign(fs, root, uid)).toBe(false);
    chmodSync(`${folder}/a`, 0o755);
    fs.close(root);
  });

  test("what belongs to another id is looked for as deep as a task may go", () => {
    const folder = makeFolder("deep");
    const root = fs.root(folder);
    const name = "d".repeat(250);
    let dir = fs.directory(root, "");
    for (let i = 0; i < 40; i++) {
      fs.makeDirectory(dir, name, 0o700);
      const next = fs.directory(dir, name);
      fs.close(dir);
      dir = next;
    }
    const uid = process.getuid?.() ?? -1;
    expect(hasForeign(fs, root, uid)).toBe(false);
    if (uid === 0) {
      fs.setOwner(dir, 4711, 4711);
      expect(hasForeign(fs, root, uid)).toBe(true);
    }
    fs.close(dir);
    removeTree(fs, root, name);
    fs.close(root);
  });

  test("that is just being made is left alone by who sweeps, and waits for the lock meanwhile", () => {
    const { folder, tasks, record } = handMadeTask(() => {});
    let looks = 0;
    // Between the directory and its lock, others sweep; then one of them holds it for a look.
    const lock = (fd: number) => {
      if (looks++ > 0) return fs.lock(fd);
      sweepTasks(fs, tasks);
      return false;
    };
    const busy = { ...fs, lock };
    const made = createTask(busy, tasks, "task_5", (dir) => {
      fs.makeDirectory(dir, "0", 0o700);
      sweepTasks(fs, tasks);
      return { ...record, task_id: "task_5" };
    });
    expect(readdirSync(`${folder}/state/rauha/tasks/task_5`).sort()).toEqual(["0", "task.json"]);
    expect(looks).toBe(2);
    for (const fd of [made.fd, made.record]) fs.close(fd);
  });

  test("is found by a beginning that no other has", () => {
    const { tasks, task } = handMadeTask(() => {});
    expect(findTask(fs, tasks, task.id.slice(0, 8))).toMatchObject({ kind: "found", task: { id: task.id } });
    expect(findTask(fs, tasks, "last")).toMatchObject({ kind: "found" });
    expect(findTask(fs, tasks, "task_zz")).toEqual({ kind: "none" });
  });
});

describe("a record", () => {
  const { record } = handMadeTask(() => {});

  test("is read as it was written", () => {
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
    const finished = { at: "2026-01-01T00:00:00Z", status: "succeeded", exit_code: 0, changes: 3 };
    expect(decodeRecord(encodeRecord({ ...record, finished }))).toEqual({ ...record, finished });
  });

  test("of a run that was killed while it wrote its end has none", () => {
    const whole = encodeRecord({ ...record, finished: { at: "", status: "succeeded", exit_code: 0, changes: 3 } });
    const first = whole.indexOf(0x0a) + 1;
    for (let length = first; length < whole.length; length++)
      expect(decodeRecord(whole.subarray(0, length))).toEqual(record);
    for (let length = 0; length < first; length++) expect(decodeRecord(whole.subarray(0, length))).toBeUndefined();
    const wrong = Buffer.concat([whole.subarray(0, first), Buffer.from('{"at":1}\n')]);
    expect(decodeRecord(wrong)).toBeUndefined();
  });

  test("gets its end by one line more", () => {
    const { tasks, task, record: made } = handMadeTask(() => {});
    const finished = { at: "2026-01-01T00:00:00Z", status: "failed", exit_code: null, changes: 1 };
    finishRecord(fs, task, finished);
    expect(listTasks(fs, tasks)[0]?.record).toEqual({ ...made, started_ns: expect.any(String), finished });
  });

  test.each<[string, Record<string, unknown>]>([
    ["another version", { version: 2 }],
    ["a start that is no number", { started_ns: "soon" }],
    ["a relative source", { layers: [{ source: "repo", target: "/r", mechanism: "overlayfs" }] }],
    ["a source with a NUL", { layers: [{ source: "/r\0", target: "/r", mechanism: "overlayfs" }] }],
    ["an unknown mechanism", { layers: [{ source: "/r", target: "/r", mechanism: "hope" }] }],
    ["layers that are no list", { layers: {} }],
    ["an end that is none", { finished: true }],
    ["no policy", { policy: null }],
  ])("with %s is none", (_, wrong) => {
    expect(decodeRecord(new TextEncoder().encode(`${JSON.stringify({ ...record, ...wrong })}\n`))).toBeUndefined();
  });

  test.each(["", "null", "[]", "{", "\xff", '"text"'])("%j is none", (text) => {
    expect(decodeRecord(Buffer.from(text, "latin1"))).toBeUndefined();
  });
});

describe("paths of the command line", () => {
  const layers = [
    { source: "/w/repo", target: "/w/repo", mechanism: "overlayfs" },
    { source: "/data", target: "/d", mechanism: "copy" },
  ] as const;
  const chosen = (words: string[], cwd: string) => Object.fromEntries(choosePaths(layers, words, cwd).chosen ?? []);

  test("none means everything", () => {
    expect(choosePaths(layers, [], "/").chosen).toBeUndefined();
  });

  test("are relative to the caller's directory inside the workspace, else to the workspace", () => {
    expect(chosen(["a", "../b"], "/w/repo/src")).toEqual({ 0: ["src/a", "b"] });
    expect(chosen(["a/"], "/elsewhere")).toEqual({ 0: ["a"] });
    expect(chosen(["."], "/w/repo")).toEqual({ 0: [""] });
  });

  test("absolute ones find their layer", () => {
    expect(chosen(["/data/x", "/w/repo/y"], "/")).toEqual({ 0: ["y"], 1: ["x"] });
  });

  test("outside of all are named", () => {
    expect(choosePaths(layers, ["/etc/passwd", "../../.."], "/w/repo").outside).toEqual(["/etc/passwd", "../../.."]);
  });
});

describe("a copy", () => {
  function copied(seed: number) {
    const folder = makeFolder("copy");
    for (const name of ["host", "task/copy"]) mkdirSync(`${folder}/${name}`, { recursive: true });
    growTree(seed, `${folder}/host`);
    const host = new TreeCursor(fs, fs.root(`${folder}/host`));
    const [dir, root] = [openMade(fs, `${folder}/task`), fs.root(`${folder}/task/copy`)];
    const outcome = makeCopy(fs, host, root, dir);
    const layer = copyLayer(fs, new TreeCursor(fs, root), dir);
    return { folder, host, layer, outcome };
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "seed %d: equals the tree, and has no changes; its edits are the changes",
    (seed) => {
      const { folder, host, layer, outcome } = copied(seed);
      expect(outcome.leftOut).toEqual([]);
      expect(snapshot(`${folder}/task/copy`)).toEqual(snapshot(`${folder}/host`));
      expect(collectChanges(fs, layer, host)).toEqual([]);
      const before = snapshot(`${folder}/host`);
      editTree(seed, `${folder}/task/copy`);
      const after = snapshot(`${folder}/task/copy`);
      const found = collectChanges(fs, layer, host);
      const differ = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
        // A file that got another name is no change itself.
        (path) => withoutLinks(before[path]) !== withoutLinks(after[path]),
      );
      const told = (path: string) => found.some((change) => change.path === path || path.startsWith(`${change.path}/`));
      expect(differ.filter((path) => !told(path))).toEqual([]);
      expect(found.filter(({ path }) => !differ.includes(path))).toEqual([]);
    },
  );

  test("leaves out pipes and says so", () => {
    const folder = makeFolder("copy");
    for (const name of ["host", "task/copy"]) mkdirSync(`${folder}/${name}`, { recursive: true });
    Bun.spawnSync(["mkfifo", `${folder}/host/pipe`]);
    writeFileSync(`${folder}/host/file`, "x");
    const host = new TreeCursor(fs, fs.root(`${folder}/host`));
    const outcome = makeCopy(fs, host, fs.root(`${folder}/task/copy`), fs.root(`${folder}/task`));
    expect(outcome.leftOut).toEqual([{ path: "pipe", why: "a fifo" }]);
    expect(readdirSync(`${folder}/task/copy`)).toEqual(["file"]);
  });
});

function withoutLinks(words: string | undefined): string | undefined {
  return words
    ?.split(" ")
    .filter((word) => !word.startsWith("="))
    .join(" ");
}
