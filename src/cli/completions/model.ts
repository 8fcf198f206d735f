import type { CommandSpec, Operand } from "../commands/spec.ts";
import { rootSpec } from "../commands/table.ts";
import type { Flag } from "../flags/flag.ts";

/** What a shell must know to complete `rauha`, the same for every shell. */
export interface CompletionNode {
  /** Words after `rauha`, joined by spaces; empty for `rauha` itself. */
  readonly path: string;
  readonly flags: readonly CompletionFlag[];
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
  readonly operands: readonly Operand[];
}

export interface CompletionFlag {
  /** `--policy`, `-e`: every way to write it. */
  readonly spellings: readonly string[];
  readonly description: string;
  readonly repeatable: boolean;
  /** How its value is completed; null for a switch. */
  readonly value: Completion | null;
  readonly metavar: string;
}

/** How a word is completed. */
export type Completion =
  | { readonly by: "words"; readonly words: readonly string[] }
  /** A shipped policy or a file. */
  | { readonly by: "policy" | "files" | "directories" | "variables" | "nothing" };

/** Every command of this build that completion offers, parents before children. What this build refuses is not offered. */
export function completionNodes(): CompletionNode[] {
  return nodesBelow([], rootSpec);
}

function nodesBelow(path: readonly string[], spec: CommandSpec): CompletionNode[] {
  const children = Object.entries(spec.subcommands ?? {}).filter(([, child]) => !child.unavailable);
  const node: CompletionNode = {
    path: path.join(" "),
    flags: Object.entries(spec.flags).flatMap(([name, flag]) => (flag.unavailable ? [] : flagsOf(name, flag))),
    subcommands: children.map(([name, { summary }]) => ({ name, summary })),
    operands: spec.subcommands === undefined ? (spec.operands ?? []) : [],
  };
  return [node, ...children.flatMap(([name, child]) => nodesBelow([...path, name], child))];
}

function flagsOf(name: string, flag: Flag): CompletionFlag[] {
  const spellings = [`--${name}`, ...(flag.aliases ?? []).map((alias) => `--${alias}`)];
  if (flag.short !== undefined) spellings.push(`-${flag.short}`);
  const { description } = flag;
  const common = { description, repeatable: flag.repeatable ?? false };
  if (flag.kind !== "boolean") return [{ ...common, spellings, value: valueCompletion(flag), metavar: flag.metavar }];
  const on = { ...common, spellings, value: null, metavar: "" };
  return flag.negatable ? [on, { ...on, spellings: [`--no-${name}`], description: `The opposite of --${name}` }] : [on];
}

function valueCompletion(flag: Exclude<Flag, { kind: "boolean" }>): Completion {
  if ("values" in flag) {
    return { by: "words", words: Object.keys(flag.values).filter((value) => !flag.values[value]?.unavailable) };
  }
  switch (flag.kind) {
    case "policy":
      return { by: "policy" };
    case "host-file":
    case "bind":
      return { by: "files" };
    case "host-dir":
      return { by: "directories" };
    case "env-name":
    case "assignment":
      return { by: "variables" };
    default:
      return { by: "nothing" };
  }
}

/** How an operand is completed; a command of the user's is the shell's own business and null. */
export function operandCompletion(operand: Operand, commandNames: readonly string[]): Completion | null {
  switch (operand.kind) {
    case "command":
      return null;
    case "policy":
      return { by: "policy" };
    case "image":
      return { by: "nothing" };
    case "policy-file":
    case "image-file":
      return { by: "files" };
    case "command-name":
      return { by: "words", words: commandNames };
    case "schema":
    case "shell":
    case "task":
      return { by: "words", words: operand.values ?? [] };
    case "task-path":
      return { by: "files" };
  }
}
