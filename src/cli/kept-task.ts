import type { Diagnostic } from "../run/diagnostic.ts";
import { errnoWords } from "../run/report/errno.ts";
import { TreeError, type TreeFs } from "../run/tree-fs.ts";
import { toText } from "../workspace/bytes.ts";
import { findTask } from "../workspace/find.ts";
import { type OpenTask, openTask, tasksPath } from "../workspace/store.ts";
import type { TaskRecord } from "../workspace/task-record.ts";
import { refuse } from "./commands/answer.ts";
import type { CommandInput } from "./commands/command.ts";
import { reclaimTask, sweepAll } from "./reclaim-task.ts";

/** A kept task, found by the command line's word and held by its lock. */
export interface HeldTask {
  readonly fs: TreeFs;
  readonly tasks: number;
  readonly task: OpenTask;
  readonly record: TaskRecord;
}

/** The user's kept tasks; undefined when there never was one. */
export async function openStore(input: CommandInput): Promise<{ fs: TreeFs; tasks: number } | undefined> {
  const backend = await input.ports.backend();
  const fs = await backend.trees();
  const path = tasksPath(input.ports.env);
  try {
    return path === undefined ? undefined : { fs, tasks: fs.root(path) };
  } catch (error) {
    if (error instanceof TreeError && error.errno === ENOENT) return undefined;
    throw error;
  }
}

/** Runs work on the task that the first operand names, or refuses. A failed system call of the work is refused in words. */
export async function withTask(
  input: CommandInput,
  work: (held: HeldTask) => number | Promise<number>,
  evenUnreadable = false,
): Promise<number> {
  const no = (diagnostic: Diagnostic) => refuse(input.ports, [diagnostic], input.json);
  const word = input.operands[0] ?? "";
  const store = await openStore(input);
  const missing = {
    code: "not_found",
    message: `there is no kept task ${word}`,
    hint: "`rauha changes` lists them",
  } as const;
  if (store === undefined) return no(missing);
  const { fs, tasks } = store;
  const backend = await input.ports.backend();
  // What can't go is no reason to refuse another task: `changes prune` says it.
  await sweepAll(backend, fs, tasks);
  const found = findTask(fs, tasks, word);
  if (found.kind === "none") return no(missing);
  if (found.kind === "many") {
    const hint = `write more of it: ${found.ids.slice(0, 5).join(", ")}`;
    return no({ code: "invalid_argument", message: `${word} is the beginning of ${found.ids.length} tasks`, hint });
  }
  const { id, record } = found.task;
  const task = openTask(fs, tasks, id);
  if (task === undefined) {
    const message = `${id} is at work: it runs, or another command has it`;
    return no({ code: "conflict", message, hint: "wait for it to end" });
  }
  if (record === undefined && !evenUnreadable) {
    return no({
      code: "internal",
      message: `the record of ${id} can't be read`,
      hint: `forget it: rauha discard ${id}`,
    });
  }
  try {
    const foreign = await reclaimTask(backend, fs, task);
    if (foreign !== undefined) return no(foreign);
    return await work({ fs, tasks, task, record: record ?? unreadable(id) });
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    const message = `${error.step} ${toText(error.path).text}: ${errnoWords(error.errno)}`;
    const hint =
      error.errno === EFBIG ? "a diff reads files of up to 1 GiB: name other paths after the task" : undefined;
    return no({ code: error.errno === ENOENT ? "not_found" : "setup_failed", message, hint });
  }
}

/** Stands for a record that a disk lost: enough to be forgotten. */
function unreadable(id: string): TaskRecord {
  const policy = { name: "", hash: "" };
  return { version: 1, task_id: id, command_hash: "", policy, started_ns: "0", started_at: "", layers: [] };
}

const ENOENT = 2;
const EFBIG = 27;
