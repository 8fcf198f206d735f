import type { FlagTable } from "../flags/flag.ts";

/** What stands in the place of an operand; completions go by it. */
export type OperandKind =
  | "command"
  | "policy"
  | "policy-file"
  | "schema"
  | "shell"
  | "command-name"
  | "image"
  | "image-file"
  | "task"
  | "task-path";

/** An argument that is no option. */
export interface Operand {
  readonly metavar: string;
  readonly kind: OperandKind;
  readonly required: boolean;
  /** The last operand may stand there any number of times. */
  readonly repeatable?: true;
  /** The only words it may be. */
  readonly values?: readonly string[];
}

/** A command line that works, and what it does. */
export interface Example {
  readonly line: string;
  readonly says: string;
}

/** A command as data: the strict parser, help, completions and docs/cli.md read it. What it does is in a file of its own. */
export interface CommandSpec {
  /** One line without the full stop. */
  readonly summary: string;
  /** Paragraphs below the summary. */
  readonly about?: readonly string[];
  readonly operands?: readonly Operand[];
  readonly flags: FlagTable;
  /** Headings of the flags' groups, in order. */
  readonly groups: Readonly<Record<string, string>>;
  readonly exitCodes?: readonly (readonly [code: string, meaning: string])[];
  readonly examples: readonly Example[];
  readonly subcommands?: CommandTable;
  /** Known, and refused: not in this build. */
  readonly unavailable?: true;
}

export type CommandTable = Readonly<Record<string, CommandSpec>>;
