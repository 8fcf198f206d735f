import { expect, test } from "bun:test";
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { treeFs as fs } from "../../../src/linux/tree/tree-fs.ts";
import { rehearse } from "../../../src/workspace/rehearse.ts";
import { taskChanges } from "../../../src/workspace/task-layers.ts";
import { type HandMade, handMadeTask } from "../../support/kept-task.ts";

const go = ({ tasks, task, record }: HandMade) => rehearse(fs, { tasks, task, record, layers: [], warnings: [] });
/** What any change of these entries would show in; an ordinary user can't look into those that are closed. */
const states = ({ repo, upper }: HandMade) =>
  [repo, `${repo}/dir`, `${repo}/dir/file`, upper, ...readdirSync(upper).map((name) => `${upper}/${name}`)].map(
    (path) => {
      const { ino, mode, size, ctimeNs } = lstatSync(path, { bigint: true });
      return [path, ino, mode, size, ctimeNs].join(" ");
    },
  );
const descriptors = () => readdirSync("/proc/self/fd").length;

test("touches nothing, not even what a task has closed for itself, and keeps no descriptor", () => {
  const made = handMadeTask(({ repo, upper }) => {
    mkdirSync(`${repo}/dir`);
    writeFileSync(`${repo}/dir/file`, "host\n");
    mkdirSync(`${upper}/dir`);
    writeFileSync(`${upper}/dir/file`, "task\n");
    symlinkSync("/etc/passwd", `${upper}/link`);
    mkdirSync(`${upper}/closed`);
    chmodSync(`${upper}/closed`, 0);
    writeFileSync(`${upper}/unreadable`, "");
    chmodSync(`${upper}/unreadable`, 0);
  });
  go(made);
  const [before, open] = [states(made), descriptors()];
  for (let i = 0; i < 5; i++) go(made);
  expect(before.length).toBe(8);
  expect(states(made)).toEqual(before);
  expect(descriptors()).toBe(open);
  const changes = taskChanges(fs, made.task.fd, made.record)[0]?.changes.map(({ path, kind }) => `${kind} ${path}`);
  expect(changes).toEqual(["added closed", "modified dir/file", "added link", "added unreadable"]);
});

test("says nothing of a layer or a repository that is not there: the end of the run does", () => {
  const gone = handMadeTask(() => undefined);
  renameSync(gone.repo, `${gone.folder}/moved`);
  expect(() => go(gone)).not.toThrow();
  expect(() => taskChanges(fs, gone.task.fd, gone.record)).toThrow();
  const bare = handMadeTask(() => undefined);
  renameSync(bare.upper, `${bare.folder}/upper`);
  const open = descriptors();
  expect(() => go(bare)).not.toThrow();
  expect(descriptors()).toBe(open);
  expect(() => taskChanges(fs, bare.task.fd, bare.record)).toThrow();
});
