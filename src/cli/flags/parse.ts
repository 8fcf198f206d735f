import type { Diagnostic, Origin } from "../../run/diagnostic.ts";
import type { Flag, FlagTable } from "./flag.ts";
import { type GivenFlag, GivenFlags, type ParsedFlags } from "./given.ts";
import { givenAlready, noValue, unavailableFlag, unknownFlag, unwantedValue } from "./mistakes.ts";
import { longName, negatedName, shortName } from "./table-names.ts";
import { parseValue } from "./values.ts";

/** What surrounds the options of a command. */
export interface ParseContext {
  readonly cwd: string;
  /**
   * `command`: the first argument that is no option begins a command whose own options are none of our business
   * (`rauha sandbox ls -l`). `mixed`: options may follow operands.
   */
  readonly operands: "command" | "mixed";
}

/**
 * Parses options strictly: nothing is guessed, and all mistakes are reported at once. `--` ends the options; the value of an
 * option is never `--`, and begins with `-` only when it is attached (`--env=A`, `-eA`).
 */
export function parseFlags<T extends FlagTable>(
  argv: readonly string[],
  table: T,
  context: ParseContext,
): ParsedFlags<T> {
  return new Parser(argv, table, context).parse();
}

class Parser<T extends FlagTable> {
  readonly #argv: readonly string[];
  readonly #table: T;
  readonly #context: ParseContext;
  readonly #given: GivenFlag<T>[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  /** How often an option was met, well-formed or not. */
  readonly #met = new Map<string, number>();
  #at = 0;

  constructor(argv: readonly string[], table: T, context: ParseContext) {
    this.#argv = argv;
    this.#table = table;
    this.#context = context;
  }

  parse(): ParsedFlags<T> {
    const operands: string[] = [];
    while (this.#at < this.#argv.length) {
      const argument = this.#argv[this.#at++] ?? "";
      const isOption = argument.startsWith("-") && argument !== "-" && argument !== "--";
      if (isOption && argument.startsWith("--")) this.#long(argument);
      else if (isOption) this.#bundle(argument);
      else if (argument !== "--") operands.push(argument);
      if (argument === "--" || (!isOption && this.#context.operands === "command")) break;
    }
    operands.push(...this.#argv.slice(this.#at));
    return { given: new GivenFlags(this.#given, this.#met), operands, diagnostics: this.#diagnostics };
  }

  /** `--flag`, `--flag value`, `--flag=value`, `--no-flag`. */
  #long(argument: string): void {
    const [spelled, attached] = splitAtEquals(argument);
    const word = spelled.slice(2);
    const name = longName(this.#table, word);
    const negated = negatedName(this.#table, word);
    if (name !== undefined) this.#option(name, spelled, attached);
    else if (negated === undefined) this.#unknown(spelled, attached !== undefined);
    else this.#switch(negated, spelled, attached, false);
  }

  /** `-e K=V`, `-eK=V`, `-e=K=V`, and switches together, the last of which may be an option with a value: `-itw DIR`. */
  #bundle(argument: string): void {
    const [whole, attached] = splitAtEquals(argument);
    // -timeout is --timeout misspelled, not -t and six more.
    if (whole.length > 3 && longName(this.#table, whole.slice(1)) !== undefined) {
      this.#unknown(whole, attached !== undefined);
      return;
    }
    for (let i = 1; i < argument.length; i++) {
      const spelled = `-${argument[i]}`;
      const name = shortName(this.#table, argument.charAt(i));
      if (name === undefined) {
        this.#unknown(i === 1 && whole.length > 2 ? whole : spelled, attached !== undefined);
        return;
      }
      const rest = argument.slice(i + 1);
      const isSwitch = this.#table[name]?.kind === "boolean";
      const value = rest.startsWith("=") ? rest.slice(1) : isSwitch || rest === "" ? undefined : rest;
      this.#option(name, spelled, value);
      if (value !== undefined || !isSwitch) return;
    }
  }

  /** An option of the table, with the value that was attached to it, if any. */
  #option(name: string, spelled: string, attached: string | undefined): void {
    const flag = this.#table[name];
    if (flag === undefined) return;
    if (flag.kind === "boolean") {
      this.#switch(name, spelled, attached, true);
      return;
    }
    const text = attached ?? this.#takeValue();
    const count = this.#count(name);
    const origin = originOf(name, flag, count);
    if (text === undefined) {
      this.#diagnostics.push(noValue(spelled, name, flag.metavar, this.#argv[this.#at]));
    } else if (count > 1 && !flag.repeatable) {
      this.#diagnostics.push(givenAlready(spelled, name, flag));
    } else {
      const parsed = parseValue(flag, name, text, this.#context.cwd);
      const missing = unavailableFlag(name, flag, text, origin);
      if (missing !== undefined && (count === 1 || !flag.unavailable)) this.#diagnostics.push(missing);
      if (parsed.ok) this.#keep(name, parsed.value, origin);
      else if (missing === undefined) {
        this.#diagnostics.push({
          code: "invalid_argument",
          message: `--${name}: ${parsed.message}`,
          hint: parsed.hint,
          origin,
        });
      }
    }
  }

  #switch(name: string, spelled: string, attached: string | undefined, value: boolean): void {
    const flag = this.#table[name];
    if (flag === undefined) return;
    const count = this.#count(name);
    const origin = originOf(name, flag, count);
    const missing = unavailableFlag(name, flag, undefined, origin);
    if (attached !== undefined) this.#diagnostics.push(unwantedValue(spelled, name, flag, attached));
    // The same switch twice is no contradiction; --json --no-json is.
    else if (this.#given.some((given) => given.name === name && given.value !== value)) {
      this.#diagnostics.push(givenAlready(spelled, name, flag));
    } else {
      if (missing !== undefined && count === 1) this.#diagnostics.push(missing);
      this.#keep(name, value, origin);
    }
  }

  /** The next argument as a value; an option that was left without one must not swallow the next option. */
  #takeValue(): string | undefined {
    const next = this.#argv[this.#at];
    if (next === undefined || (next.startsWith("-") && next !== "-")) return undefined;
    this.#at++;
    return next;
  }

  /** The one place where a value meets its type: `parseValue` went by the same entry of the table. */
  #keep(name: string, value: unknown, origin: Origin): void {
    this.#given.push({ name, value, origin } as GivenFlag<T>);
  }

  #count(name: string): number {
    const count = (this.#met.get(name) ?? 0) + 1;
    this.#met.set(name, count);
    return count;
  }

  #unknown(spelled: string, hasValue: boolean): void {
    const { diagnostic, meant } = unknownFlag(spelled, this.#table);
    this.#diagnostics.push(diagnostic);
    // Step over the value of a misspelled option, so that one slip is one diagnostic.
    const name = meant === undefined ? undefined : longName(this.#table, meant);
    if (!hasValue && name !== undefined && this.#table[name]?.kind !== "boolean") this.#takeValue();
  }
}

function splitAtEquals(argument: string): [string, string | undefined] {
  const equals = argument.indexOf("=");
  return equals < 0 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)];
}

function originOf(name: string, flag: Flag, count: number): Origin {
  return flag.repeatable ? { kind: "flag", flag: `--${name}`, index: count } : { kind: "flag", flag: `--${name}` };
}
