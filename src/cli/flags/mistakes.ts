import type { Diagnostic, Origin } from "../../run/diagnostic.ts";
import type { Flag, FlagTable } from "./flag.ts";
import { foreignFlags } from "./foreign.ts";
import { quote } from "./quote.ts";
import { suggest } from "./suggest.ts";
import { allLongWords } from "./table-names.ts";

/** What can be wrong with an option besides its value, each with the way out. */

function usage(spelled: string, message: string, hint: string): Diagnostic {
  return { code: "usage", message, hint, origin: { kind: "flag", flag: spelled } };
}

/** An option as it was typed, of a length that a message can bear. */
function shown(spelled: string): string {
  return spelled.length > 64 ? `${spelled.slice(0, 64)}…` : spelled;
}

/** An option that needs a value stands last, or before another option: `next`. */
export function noValue(spelled: string, name: string, metavar: string, next: string | undefined): Diagnostic {
  const dashed =
    next === undefined || next === "--" ? "" : `; a value that begins with - is written --${name}=${quote(next)}`;
  return usage(spelled, `${spelled} has no value`, `write ${spelled} ${metavar}${dashed}`);
}

/** A switch was given a value. */
export function unwantedValue(spelled: string, name: string, flag: Flag, value: string): Diagnostic {
  const off = /^(false|no|off|0)$/i.test(value);
  const negatable = flag.kind === "boolean" && flag.negatable;
  const hint = !off ? `write ${spelled}` : negatable ? `write --no-${name}` : `leave ${spelled} out`;
  return usage(spelled, `${spelled} takes no value, and was given ${quote(value)}`, hint);
}

/** An option that may be given once was given again, or a switch with its negation. */
export function givenAlready(spelled: string, name: string, flag: Flag): Diagnostic {
  const hint = flag.kind === "boolean" ? `write --${name} or --no-${name}` : "keep one of them";
  return usage(spelled, `${spelled} was given already and may be given once`, hint);
}

/** An unknown option, and the long word that was probably meant. */
export function unknownFlag(
  spelled: string,
  table: FlagTable,
): { readonly diagnostic: Diagnostic; readonly meant: string | undefined } {
  const meant = suggest(spelled.replace(/^-+/, ""), allLongWords(table));
  const others = foreignFlags();
  const foreign = Object.hasOwn(others, spelled) ? others[spelled] : undefined;
  const hint = foreign ?? (meant === undefined ? "--help lists the options" : `did you mean --${meant}?`);
  return { diagnostic: usage(shown(spelled), `unknown option ${shown(spelled)}`, hint), meant };
}

/** An option, or one of its values, that this build knows and can't do. */
export function unavailableFlag(
  name: string,
  flag: Flag,
  text: string | undefined,
  origin: Origin,
): Diagnostic | undefined {
  if (flag.unavailable) return unsupported(`--${name}`, `leave --${name} out`, origin);
  if (!("values" in flag) || text === undefined || !flag.values[text]?.unavailable) return undefined;
  const usable = Object.keys(flag.values).filter((value) => !flag.values[value]?.unavailable);
  return unsupported(`--${name} ${text}`, `write --${name} ${usable.join("|")}`, origin);
}

function unsupported(what: string, hint: string, origin: Origin): Diagnostic {
  return { code: "unsupported", message: `${what} is not available in this build`, hint, origin };
}
