import { toText } from "../../workspace/bytes.ts";
import { choosePaths } from "../../workspace/choose.ts";
import { describeChanges } from "../../workspace/describe.ts";
import { laterRunChanges } from "../../workspace/finish.ts";
import { taskChanges } from "../../workspace/task-layers.ts";
import { patchTask, type TaskPatch } from "../../workspace/task-patch.ts";
import { renderStat, terminalPatch } from "../diff-words.ts";
import { type HeldTask, withTask } from "../kept-task.ts";
import { showInPager } from "../pager.ts";
import { rawWords } from "../raw-words.ts";
import { oneLine, paint, styleFor } from "../words.ts";
import { answerJson, refuse } from "./answer.ts";
import { type CommandInput, command } from "./command.ts";

const stdout = 1;
const stderr = 2;

/** `rauha diff TASK [--stat] [PATH…]`: what a task changed, against the host's files as they are now. */
export const diff = command((input) => withTask(input, (held) => diffHeld(input, held)));

async function diffHeld(input: CommandInput, { fs, task, record }: HeldTask): Promise<number> {
  const { chosen, outside } = choosePaths(record.layers, rawWords(fs, input.operands.slice(1)), input.ports.cwd);
  if (outside.length > 0) {
    const named = outside.map((word) => oneLine(toText(word).text)).join(", ");
    const message = `${named}: not in what the task could change (${record.layers.map(({ source }) => source).join(", ")})`;
    return refuse(input.ports, [{ code: "invalid_argument", message }], input.json);
  }
  const binary = input.given.one("binary") === true || input.json ? "patch" : "name";
  const patches = patchTask(fs, task.fd, record, { binary }, chosen);
  const layers = taskChanges(fs, task.fd, record);
  if (input.json) {
    const { changes } = describeChanges(layers, Number.POSITIVE_INFINITY);
    const text = Buffer.from(joined(patches), "latin1").toString("base64");
    return answerJson(input.ports, { schema: "rauha.diff/v1", task_id: record.task_id, changes, patch_base64: text });
  }
  const onTerminal = input.ports.isTerminal(stdout);
  const style = styleFor(onTerminal, input.ports.env);
  const patch = () => (onTerminal ? terminalPatch(joined(patches), style) : joined(patches));
  const text = input.given.one("stat") === true ? renderStat(patches, style) : patch();
  const notes = [...laterRunNotes(layers), ...gitNotes(patches)];
  const words = styleFor(input.ports.isTerminal(stderr), input.ports.env);
  for (const note of notes) input.ports.write(stderr, `${paint("rauha: warning:", "33", words)} ${note}\n`);
  const paged = onTerminal && input.given.one("no-pager") !== true;
  if (paged && (await showInPager(Buffer.from(text, "latin1"), input.ports.env))) return 0;
  const backend = await input.ports.backend();
  return backend.io.write(stdout, Buffer.from(text, "latin1")) === 0 ? 0 : 125;
}

function joined(patches: readonly TaskPatch[]): string {
  return patches.flatMap(({ files }) => files.map(({ text }) => text)).join("");
}

function laterRunNotes(layers: ReturnType<typeof taskChanges>): string[] {
  const paths = layers.flatMap(laterRunChanges).map(({ path }) => toText(path).text);
  return paths.map((path) => `${oneLine(path)} runs outside the zone later: look at it before you apply it`);
}

function gitNotes(patches: readonly TaskPatch[]): string[] {
  const hidden = patches.reduce((sum, { inGit }) => sum + inGit, 0);
  return hidden === 0 ? [] : [`${hidden} changes in .git are not shown; name .git to see them`];
}
