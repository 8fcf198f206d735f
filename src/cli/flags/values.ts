import { formatDuration, formatSize, parseDuration, parseSize } from "../../run/units.ts";
import type { Checked, EnumValue, Flag, ValueKind, ValueOf } from "./flag.ts";
import { parseBind, parseHostPath, parseSymlink, parseZonePath, parseZonePlace } from "./paths.ts";
import { quote } from "./quote.ts";
import { suggest } from "./suggest.ts";

/** What reading a value may depend on. Nothing of it is the host's state. */
export interface ValueContext {
  readonly cwd: string;
  /** Long name of the option, without dashes. */
  readonly flag: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** Reads the text of an option's value by the option's kind. */
export function parseValue(
  flag: Exclude<Flag, { kind: "boolean" }>,
  name: string,
  text: string,
  cwd: string,
): Checked<unknown> {
  if ("values" in flag) return parseEnum(text, name, flag.values);
  return parsers[flag.kind](text, { cwd, flag: name, min: flag.min, max: flag.max });
}

const parsers: { readonly [K in ValueKind]: (text: string, context: ValueContext) => Checked<ValueOf[K]> } = {
  text: (text) => filled(text),
  "text-or-none": (text) => ({ ok: true, value: text }),
  policy: (text) => filled(text),
  duration: (text, context) => {
    const ms = parseDuration(text);
    if (ms === undefined) return wrong(text, "a duration", "30, 30s, 5m, 1h or 500ms");
    return inRange(ms, text, context, formatDuration);
  },
  seconds: (text, context) => {
    const ms = parseDuration(text);
    if (ms === undefined || ms % 1000 !== 0) return wrong(text, "a whole number of seconds", "10, 90s or 5m");
    return inRange(ms / 1000, text, context, (bound) => `${bound} seconds`);
  },
  size: (text, context) => {
    const bytes = parseSize(text);
    if (bytes === undefined) return wrong(text, "a size", "1048576, 512Ki, 256Mi or 4Gi");
    return inRange(bytes, text, context, formatSize);
  },
  integer: (text, context) => {
    if (!/^[0-9]+$/.test(text)) return wrong(text, "a whole number", bounds(context));
    return inRange(Number(text), text, context, String);
  },
  decimal: (text, context) => {
    if (!/^([0-9]+(\.[0-9]*)?|\.[0-9]+)$/.test(text)) return wrong(text, "a number", "2, 1.5 or 0.25");
    return inRange(Number(text), text, context, String);
  },
  assignment: parseAssignment,
  "env-name": (text) => {
    const equals = text.indexOf("=");
    if (equals >= 0) {
      return {
        ok: false,
        message: `${quote(text.slice(0, equals))}=… is an assignment; expected the name of a variable of yours`,
        hint: "to set a value, write --env NAME=VALUE",
      };
    }
    const problem = envNameProblem(text);
    return problem === undefined ? { ok: true, value: text } : { ok: false, message: problem };
  },
  bind: (text, context) => parseBind(text, context.cwd, context.flag),
  symlink: (text, context) => parseSymlink(text, context.cwd),
  "host-file": (text, context) => {
    if (text.endsWith("/")) return { ok: false, message: `${quote(text)} names a directory; expected a file` };
    return parseHostPath(text, context.cwd);
  },
  "host-dir": (text, context) => parseHostPath(text, context.cwd),
  "zone-place": (text, context) => parseZonePlace(text, context.cwd),
  "zone-path": (text, context) => parseZonePath(text, context.cwd),
  user: parseUser,
  hostname: parseHostname,
};

function parseEnum(text: string, name: string, values: Readonly<Record<string, EnumValue>>): Checked<string> {
  if (Object.hasOwn(values, text)) return { ok: true, value: text };
  const words = new Map<string, string>();
  for (const [value, { meant }] of Object.entries(values))
    for (const word of [value, ...(meant ?? [])]) words.set(word, value);
  const near = words.get(suggest(text, [...words.keys()]) ?? "");
  const usable = Object.keys(values).filter((value) => values[value]?.unavailable === undefined);
  return {
    ok: false,
    message: `${quote(text)} is not one of ${listNames(Object.keys(values))}`,
    hint: near === undefined ? `write --${name} ${usable.join("|")}` : `did you mean --${name} ${near}?`,
  };
}

/** `a, b or c`. */
export function listNames(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function parseAssignment(text: string): Checked<ValueOf["assignment"]> {
  const equals = text.indexOf("=");
  if (equals < 0) {
    return {
      ok: false,
      message: `${quote(text)} is not NAME=VALUE`,
      hint: `to pass your own variable on, write --env-pass ${text}; to set it, --env ${text}=VALUE`,
    };
  }
  const name = text.slice(0, equals);
  const problem = envNameProblem(name);
  if (problem !== undefined) return { ok: false, message: problem, hint: "write --env NAME=VALUE" };
  return { ok: true, value: { name, value: text.slice(equals + 1) } };
}

/** The kernel takes any name without `=`; a name that no program could mean is a slip of the shell's quoting. */
function envNameProblem(name: string): string | undefined {
  if (name === "") return "the variable has no name";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\s\u0000-\u001f\u007f"'$`]/.test(name) ? `${quote(name)} is not the name of a variable` : undefined;
}

function parseUser(text: string): Checked<ValueOf["user"]> {
  const match = /^([0-9]+)(?::([0-9]+))?$/.exec(text);
  if (match === null) {
    if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/.test(text))
      return { ok: true, value: { named: text } };
    return { ok: false, message: `${quote(text)} is not UID[:GID] in numbers`, hint: numbersHint };
  }
  const [uid, gid] = [Number(match[1]), match[2] === undefined ? undefined : Number(match[2])];
  if (uid > maxId || (gid ?? 0) > maxId) return { ok: false, message: `${quote(text)}: ids go from 0 to ${maxId}` };
  return { ok: true, value: gid === undefined ? { uid } : { uid, gid } };
}

/** Where there is no image whose names could be meant. */
export const numbersHint =
  "names are looked up in an image only, since other zones have users of their own; `id -u NAME` prints the number";

/** 2^32 - 1 means "no id" to the kernel. */
const maxId = 0xfffffffe;

function parseHostname(text: string): Checked<string> {
  if (/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text) && text.length <= 64) return { ok: true, value: text };
  return {
    ok: false,
    message: `${quote(text)} is not a host name`,
    hint: "1 to 64 letters, digits, hyphens and dots; a letter or digit first and last",
  };
}

function filled(text: string): Checked<string> {
  return text === "" ? { ok: false, message: "the value is empty" } : { ok: true, value: text };
}

function wrong(text: string, expected: string, hint: string | undefined): Checked<never> {
  return {
    ok: false,
    message: `${quote(text)} is not ${expected}`,
    hint: hint === undefined ? undefined : `expected ${hint}`,
  };
}

function inRange(
  value: number,
  text: string,
  { min, max }: ValueContext,
  unit: (bound: number) => string,
): Checked<number> {
  if (min !== undefined && value < min) return { ok: false, message: `${quote(text)} is less than ${unit(min)}` };
  const top = max ?? Number.MAX_SAFE_INTEGER;
  if (value > top) return { ok: false, message: `${quote(text)} is more than ${unit(top)}` };
  return { ok: true, value };
}

function bounds({ min, max }: ValueContext): string | undefined {
  if (min === undefined) return undefined;
  return max === undefined ? `${min} or more` : `${min} to ${max}`;
}
