import type { Diagnostic, Origin } from "../../run/diagnostic.ts";
import type { FlagTable, FlagValue } from "./flag.ts";

/** One option as it stood on the command line, well-formed: its name tells the type of its value. */
export type GivenFlag<T extends FlagTable, N extends keyof T = keyof T> = {
  [M in N]: { readonly name: M; readonly value: FlagValue<T[M]>; readonly origin: Origin };
}[N];

/** What a command line said: its options, what is not an option, and what is wrong with it. */
export interface ParsedFlags<T extends FlagTable> {
  readonly given: GivenFlags<T>;
  /** The command and its arguments, or the operands. */
  readonly operands: readonly string[];
  /** Every mistake, in the order of the command line. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Typed access to the options that were given and are well-formed. A plain map: this is the hot path, where every function that
 * runs for the first time costs some ten microseconds.
 */
export class GivenFlags<T extends FlagTable> {
  readonly inOrder: readonly GivenFlag<T>[];
  readonly #last = new Map<keyof T, GivenFlag<T>>();
  readonly #met: ReadonlyMap<string, number>;

  constructor(inOrder: readonly GivenFlag<T>[], met: ReadonlyMap<string, number>) {
    this.inOrder = inOrder;
    this.#met = met;
    for (const flag of inOrder) this.#last.set(flag.name, flag);
  }

  /** Whether the option stood on the command line at all, even with a value that was refused. */
  met(name: keyof T & string): boolean {
    return this.#met.has(name);
  }

  /** The option with its origin; of a repeatable one the last. */
  flag<N extends keyof T>(name: N): GivenFlag<T, N> | undefined {
    return this.#last.get(name) as GivenFlag<T, N> | undefined;
  }

  one<N extends keyof T>(name: N): FlagValue<T[N]> | undefined {
    return this.#last.get(name)?.value as FlagValue<T[N]> | undefined;
  }

  /** All values of a repeatable option, in order. */
  all<N extends keyof T>(name: N): FlagValue<T[N]>[] {
    const values: FlagValue<T[N]>[] = [];
    for (const flag of this.inOrder) if (flag.name === name) values.push(flag.value as FlagValue<T[N]>);
    return values;
  }
}
