import type { Diagnostic } from "../../run/diagnostic.ts";
import type { FlagTable } from "../flags/flag.ts";
import type { ParsedFlags } from "../flags/given.ts";
import { quote } from "../flags/quote.ts";
import { sandboxFlags } from "../flags/sandbox-table.ts";
import { suggest } from "../flags/suggest.ts";
import { longName } from "../flags/table-names.ts";
import { listNames } from "../flags/values.ts";
import type { CommandSpec } from "./spec.ts";

/** Where the words of a command line lead in the command tree. */
export type Route =
  | {
      readonly kind: "found";
      readonly path: readonly string[];
      readonly spec: CommandSpec;
      readonly rest: readonly string[];
    }
  | Group
  | { readonly kind: "wrong"; readonly diagnostic: Diagnostic };

/** A command with parts, and none of them named. */
interface Group {
  readonly kind: "group";
  readonly path: readonly string[];
  readonly spec: CommandSpec;
  readonly rest: readonly string[];
}

/** Follows the leading words that are no options. */
export function routeCommand(root: CommandSpec, argv: readonly string[]): Route {
  let spec = root;
  const path: string[] = [];
  let rest = argv;
  while (spec.subcommands !== undefined) {
    const [word] = rest;
    if (word === undefined || word.startsWith("-")) return { kind: "group", path, spec, rest };
    const next = Object.hasOwn(spec.subcommands, word) ? spec.subcommands[word] : undefined;
    if (next === undefined) return { kind: "wrong", diagnostic: unknownCommand(spec, path, word) };
    path.push(word);
    rest = rest.slice(1);
    spec = next;
    if (spec.unavailable) return { kind: "wrong", diagnostic: unavailableCommand(path) };
  }
  return { kind: "found", path, spec, rest };
}

function unavailableCommand(path: readonly string[]): Diagnostic {
  const name = `rauha ${path.join(" ")}`;
  return { code: "unsupported", message: `${name} is not available in this build`, hint: "rauha --help lists what is" };
}

function unknownCommand(spec: CommandSpec, path: readonly string[], word: string): Diagnostic {
  const names = Object.keys(spec.subcommands ?? {});
  const near = suggest(word, names);
  const prefix = ["rauha", ...path].join(" ");
  const usable = names.filter((name) => !spec.subcommands?.[name]?.unavailable);
  const hint =
    near !== undefined
      ? `did you mean ${prefix} ${near}?`
      : path.length > 0
        ? `expected ${listNames(usable.map((name) => `${prefix} ${name}`))}`
        : `rauha --help lists the commands; to run a program in a zone: rauha sandbox -- ${/^[\w./+-]+$/.test(word) ? word : "PROGRAM"}`;
  return { code: "usage", message: `${quote(word)} is not a command of ${prefix}`, hint };
}

/** A command with parts was given none of its parts; `parsed` is what its own options say. */
export function checkGroup(
  route: Group,
  parsed: Pick<ParsedFlags<FlagTable>, "operands" | "diagnostics">,
): readonly Diagnostic[] {
  const name = ["rauha", ...route.path].join(" ");
  const [flag = ""] = route.rest;
  const [part] = parsed.operands;
  const known = part !== undefined && Object.hasOwn(route.spec.subcommands ?? {}, part);
  const word = flag.replace(/^-+/, "").replace(/=.*$/s, "");
  if (known || (route.path.length === 0 && longName(sandboxFlags, word) !== undefined && word !== "json")) {
    const hint = `write ${name} ${known ? part : "sandbox"} ${flag}`;
    return [{ code: "usage", message: `${flag}: options of a command follow its name`, hint }];
  }
  if (parsed.diagnostics.length > 0) return parsed.diagnostics;
  return [{ code: "usage", message: "no command was given", hint: `${name} --help lists the commands` }];
}

/** Checks the number of operands, and the ones that are one of a few words. */
export function checkOperands(path: readonly string[], spec: CommandSpec, operands: readonly string[]): Diagnostic[] {
  const expected = spec.operands ?? [];
  const name = ["rauha", ...path].join(" ");
  const found: Diagnostic[] = [];
  for (const [index, operand] of expected.entries()) {
    const text = operands[index];
    if (text === undefined && operand.required) {
      found.push({ code: "usage", message: `${operand.metavar} is missing`, hint: `write ${name} ${operand.metavar}` });
    }
    if (text === "") found.push({ code: "usage", message: `${operand.metavar} is empty` });
    else if (text !== undefined && operand.values !== undefined && !operand.values.includes(text)) {
      const near = suggest(text, operand.values);
      found.push({
        code: "invalid_argument",
        message: `${quote(text)} is not one of ${listNames(operand.values)}`,
        hint: near === undefined ? undefined : `did you mean ${name} ${near}?`,
      });
    }
  }
  const takes = expected.at(-1)?.repeatable === true ? operands.length : expected.length;
  for (const extra of operands.slice(takes)) {
    found.push({ code: "usage", message: `${quote(extra)} is one argument too many`, hint: `${name} --help` });
  }
  return found;
}
