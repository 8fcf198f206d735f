import type { FlagTable } from "../flags/flag.ts";
import { everyFlags, everyGroups } from "./every-command.ts";
import type { CommandTable, Operand } from "./spec.ts";

/** The commands about kept tasks in words; see docs/workspaces.md. */

const task: Operand = { metavar: "TASK", kind: "task", required: true };
const paths: Operand = { metavar: "PATH…", kind: "task-path", required: false, repeatable: true };
const about = "TASK is a task's id, a beginning of it that no other has, or `last`.";

export const diffFlags = {
  stat: { group: "options", kind: "boolean", description: "Count lines instead of showing them" },
  binary: { group: "options", kind: "boolean", description: "Show what is no text as a patch that git can apply" },
  "no-pager": { group: "options", kind: "boolean", description: "Print straight to the terminal" },
  ...everyFlags,
} as const satisfies FlagTable;

export const applyFlags = {
  force: { group: "options", kind: "boolean", description: "Also write what changed on the host meanwhile" },
  ...everyFlags,
} as const satisfies FlagTable;

export const changesFlags = {
  "older-than": {
    group: "options",
    kind: "duration",
    metavar: "AGE",
    description: "With prune: only tasks that started longer ago (`12h`, `168h`)",
    default: "all that are finished or interrupted",
  },
  ...everyFlags,
} as const satisfies FlagTable;

export const workspaceSpecs: CommandTable = {
  changes: {
    summary: "List kept tasks, or forget old ones",
    about: [
      "A task is kept when it changed something in a copy-on-write workspace, until `apply`, `discard` or `prune`.",
    ],
    operands: [{ metavar: "prune", kind: "task", required: false, values: ["prune"] }],
    flags: changesFlags,
    groups: everyGroups,
    examples: [
      { line: "rauha changes", says: "the latest first" },
      { line: "rauha changes prune --older-than 168h", says: "forget what nobody came back for in a week" },
    ],
  },
  diff: {
    summary: "Show what a task changed, in git's format",
    about: [about, "A PATH narrows it to a file or a directory. What changed in .git is shown only when named."],
    operands: [task, paths],
    flags: diffFlags,
    groups: everyGroups,
    examples: [
      { line: "rauha diff last", says: "in colour and in a pager on a terminal" },
      { line: "rauha diff last --binary > changes.patch", says: "for git apply" },
    ],
  },
  apply: {
    summary: "Write a task's changes to the host's files",
    about: [
      about,
      "Everything is checked before the first file is written. What changed on the host since the task started is refused " +
        "unless --force is given. The task is forgotten when nothing of it is left.",
    ],
    operands: [task, paths],
    flags: applyFlags,
    groups: everyGroups,
    exitCodes: [
      ["0", "written"],
      ["1", "nothing was written: a conflict, or something that is never written"],
      ["125", "not found, or a write failed"],
    ],
    examples: [
      { line: "rauha apply last", says: "all of it" },
      { line: "rauha apply task_3f src/", says: "only what is below src" },
    ],
  },
  discard: {
    summary: "Forget a task's changes",
    about: [about],
    operands: [task],
    flags: everyFlags,
    groups: everyGroups,
    examples: [{ line: "rauha discard last", says: "the host's files stay as they are" }],
  },
};
