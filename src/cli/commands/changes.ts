import { type KeptTask, listTasks, openTask, removeTask } from "../../workspace/store.ts";
import { openStore } from "../kept-task.ts";
import { reclaimTask, sweepAll } from "../reclaim-task.ts";
import { oneLine } from "../words.ts";
import { answer, answerJson, refuse } from "./answer.ts";
import { type CommandInput, command } from "./command.ts";

/** `rauha changes`: what is kept; `rauha changes prune`: forgets old ones. */
export const changes = command(async (input) => {
  if (input.operands[0] === "prune") return prune(input);
  if (input.given.flag("older-than") !== undefined) {
    const origin = { kind: "flag", flag: "--older-than" } as const;
    const hint = "write rauha changes prune --older-than AGE";
    return refuse(input.ports, [{ code: "usage", message: "belongs to prune", origin, hint }], input.json);
  }
  const store = await openStore(input);
  const tasks = store === undefined ? [] : listTasks(store.fs, store.tasks);
  if (input.json) return answerJson(input.ports, { schema: "rauha.changes/v1", tasks: tasks.map(describe) });
  if (tasks.length === 0) return answer(input.ports, "no task is kept\n");
  const rows = tasks.map((task) => {
    const { status, changes, started_at, layers } = describe(task);
    const places = layers.map(({ source }) => oneLine(source)).join(" ");
    const count = changes === null ? "" : `${changes} change${changes === 1 ? "" : "s"}`;
    return [task.id, status, count, started_at ?? "", places];
  });
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = [0, 1, 2, 3].map(width);
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return answer(input.ports, `${rows.map((row) => line(row).trimEnd()).join("\n")}\n`);
});

/** `running`, `interrupted` (its run was killed: the layer is whole, its end is unknown), `damaged`, or how the task ended. */
function statusOf({ record, busy }: KeptTask): string {
  if (record === undefined) return "damaged";
  return record.finished?.status ?? (busy ? "running" : "interrupted");
}

function describe(task: KeptTask) {
  const { record } = task;
  return {
    task_id: task.id,
    status: statusOf(task),
    started_at: record?.started_at ?? null,
    finished_at: record?.finished?.at ?? null,
    exit_code: record?.finished?.exit_code ?? null,
    changes: record?.finished?.changes ?? null,
    command_hash: record?.command_hash ?? null,
    policy: record?.policy ?? null,
    layers: record?.layers.map(({ source, target, mechanism }) => ({ source, target, mechanism })) ?? [],
  };
}

async function prune(input: CommandInput): Promise<number> {
  const store = await openStore(input);
  const pruned: string[] = [];
  if (store !== undefined) {
    const { fs, tasks } = store;
    const backend = await input.ports.backend();
    const problems = await sweepAll(backend, fs, tasks);
    const age = BigInt(Math.round(Number(input.given.one("older-than") ?? 0))) * 1_000_000n;
    const limit = fs.now() - age;
    for (const { id, record, busy } of listTasks(fs, tasks)) {
      if (busy || BigInt(record?.started_ns ?? 0) > limit) continue;
      const open = openTask(fs, tasks, id);
      if (open === undefined) continue;
      const problem = await reclaimTask(backend, fs, open);
      if (problem === undefined) {
        removeTask(fs, tasks, open);
        pruned.push(id);
      } else {
        problems.push(problem);
        fs.close(open.fd);
      }
    }
    if (problems.length > 0) return refuse(input.ports, problems, input.json);
  }
  if (input.json) return answerJson(input.ports, { schema: "rauha.changes.prune/v1", pruned });
  return answer(input.ports, pruned.length === 0 ? "nothing to forget\n" : `forgot ${pruned.join(", ")}\n`);
}
