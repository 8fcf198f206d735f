/**
 * What a command line option is, as data. One table of these per command feeds the strict parser, the help texts, the shell
 * completions and docs/cli.md, so that the four can't drift apart.
 */

/** What an option's value becomes. Kinds are the words of this command line, not of JavaScript. */
export interface ValueOf {
  readonly text: string;
  /** The same, or nothing. */
  readonly "text-or-none": string;
  /** Milliseconds; written `30`, `30s`, `5m`, `1h`. */
  readonly duration: number;
  /** Whole seconds, written like a duration. */
  readonly seconds: number;
  /** Bytes; written `1024`, `64Ki`, `4Gi`. */
  readonly size: number;
  readonly integer: number;
  readonly decimal: number;
  /** `NAME=VALUE` of an environment variable. */
  readonly assignment: { readonly name: string; readonly value: string };
  readonly "env-name": string;
  /** `SRC[:DST]`, both absolute. */
  readonly bind: { readonly source: string; readonly target: string };
  /** `TARGET:LINK`: a symlink at LINK, absolute, that says TARGET. */
  readonly symlink: { readonly value: string; readonly target: string };
  /** A path of the host, made absolute. */
  readonly "host-file": string;
  readonly "host-dir": string;
  /** An absolute path inside the zone. */
  readonly "zone-path": string;
  /** The same, for something that is put there: not the root. */
  readonly "zone-place": string;
  /** `UID[:GID]` in numbers, or names of an image's accounts. */
  readonly user: { readonly uid: number; readonly gid?: number | undefined } | { readonly named: string };
  readonly hostname: string;
  /** A shipped policy's name or a policy file. */
  readonly policy: string;
}

/** What kinds of values there are. */
export type ValueKind = keyof ValueOf;

interface FlagCommon {
  readonly short?: string;
  /** Other long names of the same option. */
  readonly aliases?: readonly string[];
  /** Heading in help. */
  readonly group: string;
  /** One sentence without the full stop. */
  readonly description: string;
  /** What holds when the option is absent. */
  readonly default?: string;
  readonly repeatable?: true;
  /** Known and shown, but refused: the feature is not in this build. Removing the mark is all that a later build does here. */
  readonly unavailable?: true;
}

/** One value of an enum option. */
export interface EnumValue {
  readonly description: string;
  /** Other words for it: not accepted, but answered with this one. */
  readonly meant?: readonly string[];
  readonly unavailable?: true;
}

/** One option: a switch, one of some words, or a value of a kind. */
export type Flag =
  | (FlagCommon & { readonly kind: "boolean"; readonly negatable?: true })
  | (FlagCommon & {
      readonly kind: "enum";
      readonly metavar: string;
      readonly values: Readonly<Record<string, EnumValue>>;
    })
  | (FlagCommon & {
      readonly kind: ValueKind;
      readonly metavar: string;
      /** Bounds of a number, in the unit of the value. */
      readonly min?: number;
      readonly max?: number;
    });

/** The options of a command by long name, without the dashes, in the order of the help text. */
export type FlagTable = Readonly<Record<string, Flag>>;

/** What the parser hands back for one option of a table. */
export type FlagValue<F extends Flag> = F extends { kind: "boolean" }
  ? boolean
  : F extends { kind: "enum"; values: infer V }
    ? keyof V & string
    : F extends { kind: infer K extends ValueKind }
      ? ValueOf[K]
      : never;

/** A value read, or what is wrong with it. */
export type Checked<V> =
  | { readonly ok: true; readonly value: V }
  | { readonly ok: false; readonly message: string; readonly hint?: string | undefined };
