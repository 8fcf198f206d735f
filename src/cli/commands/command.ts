import { type CommandDef, defineCommand } from "citty";
import type { FlagTable } from "../flags/flag.ts";
import type { GivenFlags } from "../flags/given.ts";
import type { Ports } from "../ports.ts";

/** What a command of the tree gets: its own options and operands, parsed strictly, and the outside. */
export interface CommandInput {
  readonly given: GivenFlags<FlagTable>;
  readonly operands: readonly string[];
  readonly json: boolean;
  readonly ports: Ports;
}

/**
 * A leaf of citty's command tree. citty finds, loads and runs it; it parses nothing, since its parser accepts misspelled options.
 * The result is the exit code.
 */
export function command(run: (input: CommandInput) => number | Promise<number>): CommandDef {
  return defineCommand({ run: ({ data }) => run(data as CommandInput) });
}
