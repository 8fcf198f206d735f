import type { Diagnostic, Origin } from "../../run/diagnostic.ts";
import type { FlagTable, FlagValue } from "./flag.ts";

/** One option as it stood on the command line, well-formed. */
export interface GivenFlag<T extends FlagTable, N extends keyof T = keyof T> {
  readonly name: N;
  readonly value: FlagValue<T[N]>;
  readonly origin: Origin;
}

/** What a command line said: its options, what is not an option, and what is wrong with it. */
export interface ParsedFlags<T extends FlagTable> {
  readonly given: GivenFlags<T>;
  /** The command and its arguments, or the operands. */
  readonly operands: readonly string[];
  /** Every mistake, in the order of the command line. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Typed access to the options that were given and are well-formed. */
export class GivenFlags<T extends FlagTable> {
  readonly inOrder: readonly GivenFlag<T>[];
  readonly #met: ReadonlySet<string>;

  constructor(inOrder: readonly GivenFlag<T>[], met: ReadonlySet<string>) {
    this.inOrder = inOrder;
    this.#met = met;
  }

  /** Whether the option stood on the command line at all, even with a value that was refused. */
  met(name: keyof T & string): boolean {
    return this.#met.has(name);
  }

  /** The option with its origin; of a repeatable one the last. */
  flag<N extends keyof T>(name: N): GivenFlag<T, N> | undefined {
    return this.all(name).at(-1);
  }

  one<N extends keyof T>(name: N): FlagValue<T[N]> | undefined {
    return this.flag(name)?.value;
  }

  all<N extends keyof T>(name: N): GivenFlag<T, N>[] {
    return this.inOrder.filter((flag): flag is GivenFlag<T, N> => flag.name === name);
  }
}
