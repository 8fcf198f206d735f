import type { Diagnostic } from "../../run/diagnostic.ts";
import { errnoName } from "../../run/report/errno.ts";
import { applyTask, type LayerObstacle } from "../../workspace/apply/apply.ts";
import { toText } from "../../workspace/bytes.ts";
import { choosePaths } from "../../workspace/choose.ts";
import { displayPath } from "../../workspace/describe.ts";
import { laterRunChanges } from "../../workspace/finish.ts";
import { removeTask } from "../../workspace/store.ts";
import { type HeldTask, withTask } from "../kept-task.ts";
import { rawWords } from "../raw-words.ts";
import { oneLine, renderDiagnostics, styleFor } from "../words.ts";
import { answer, answerJson, refuse } from "./answer.ts";
import { type CommandInput, command } from "./command.ts";

const stderr = 2;

/** `rauha apply TASK [PATH…]`: writes a task's changes to the host, after checking all of them. */
export const apply = command((input) => withTask(input, (held) => applyHeld(input, held)));

function applyHeld(input: CommandInput, held: HeldTask): number {
  const { fs, tasks, task, record } = held;
  const { chosen, outside } = choosePaths(record.layers, rawWords(fs, input.operands.slice(1)), input.ports.cwd);
  if (outside.length > 0) {
    const named = outside.map((word) => oneLine(toText(word).text)).join(", ");
    const message = `${named}: not in what the task could change (${record.layers.map(({ source }) => source).join(", ")})`;
    return refuse(input.ports, [{ code: "invalid_argument", message }], input.json);
  }
  const laterRun: string[] = [];
  const outcome = applyTask(fs, task.fd, record, {
    chosen,
    force: input.given.one("force") === true,
    before: (layer, changes) => {
      const found = record.layers[layer];
      const paths = (found === undefined ? [] : laterRunChanges({ record: found, changes })).map(
        ({ path }) => toText(path).text,
      );
      laterRun.push(...paths);
      warn(input, paths);
    },
  });
  if (!outcome.done) {
    if ("obstacles" in outcome) return standing(input, held, outcome.obstacles);
    const { failed, written } = outcome;
    const place = oneLine(toText(failed.path).text);
    const message = `${place}: ${failed.step}: ${errnoName(failed.errno)}; ${written} changes before it were written`;
    const hint = "what is left is still kept: repair the cause and apply again";
    return refuse(input.ports, [{ code: "setup_failed", message, hint }], input.json);
  }
  const { written, left } = outcome;
  if (left === 0) removeTask(fs, tasks, task);
  if (input.json) {
    const fields = { task_id: record.task_id, written, left, later_run: laterRun };
    return answerJson(input.ports, { schema: "rauha.apply/v1", ...fields });
  }
  const rest = left === 0 ? "" : `; ${left} kept as ${record.task_id}`;
  return answer(input.ports, `wrote ${written} change${written === 1 ? "" : "s"}${rest}\n`);
}

function warn(input: CommandInput, paths: readonly string[]): void {
  const warnings = paths.map((path): Diagnostic => {
    const message = `${path} is written now, and what is in it runs outside the zone later`;
    return { code: "unenforceable", message };
  });
  const style = styleFor(input.ports.isTerminal(stderr), input.ports.env);
  if (warnings.length > 0) input.ports.write(stderr, renderDiagnostics(warnings, style, "warning"));
}

const standingWords = {
  refused: { code: "unsupported", hint: "name the other paths: rauha apply TASK PATH…" },
  conflict: { code: "conflict", hint: "look at it; --force writes the task's version" },
  missing: { code: "not_found", hint: "rauha diff TASK --stat lists what it changed" },
} as const;

/** Nothing was written: says every reason. */
function standing(input: CommandInput, { record }: HeldTask, obstacles: readonly LayerObstacle[]): number {
  const problems = obstacles.map(({ layer, path, kind, why }): Diagnostic => {
    const place = oneLine(toText(displayPath(layer, record.layers[layer]?.source ?? "", path)).text);
    return { ...standingWords[kind], message: `${place}: ${why}` };
  });
  refuse(input.ports, problems, input.json);
  return 1;
}
