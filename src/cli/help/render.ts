import type { CommandSpec } from "../commands/spec.ts";
import { paint, type WordStyle } from "../words.ts";
import { flagLines } from "./flag-lines.ts";
import { columns, helpWidth, wrap } from "./layout.ts";

/** Help for a command; `path` is what was typed before its options: `rauha`, `rauha sandbox`, `rauha policy show`. */
export function renderHelp(path: string, spec: CommandSpec, style: WordStyle): string {
  const heading = (text: string): string => paint(text, "1", style);
  const title = `${path}: ${spec.summary.charAt(0).toLowerCase()}${spec.summary.slice(1)}`;
  const sections: string[][] = [wrap(title, helpWidth)];
  sections.push([heading("Usage:"), ...usageLines(path, spec)]);
  for (const paragraph of spec.about ?? []) sections.push(wrap(paragraph, helpWidth));
  sections.push(...commandSections(spec, heading));
  for (const [group, title] of Object.entries(spec.groups)) {
    const flags = Object.entries(spec.flags).filter(([, flag]) => flag.group === group && !flag.unavailable);
    if (flags.length > 0)
      sections.push([heading(`${title}:`), ...flags.flatMap(([name, flag]) => flagLines(name, flag))]);
  }
  const later = Object.entries(spec.flags).filter(([, flag]) => flag.unavailable);
  if (later.length > 0) {
    sections.push([
      heading("Not available in this build (refused with exit code 125):"),
      ...later.flatMap(([name, flag]) => flagLines(name, flag)),
    ]);
  }
  if (spec.exitCodes !== undefined) {
    sections.push([
      heading("Exit codes:"),
      ...spec.exitCodes.flatMap(([code, meaning]) => columns(`  ${code}`, meaning, 10)),
    ]);
  }
  if (spec.examples.length > 0) {
    sections.push([heading("Examples:"), ...spec.examples.flatMap(({ line, says }) => [`  # ${says}`, `  ${line}`])]);
  }
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** How a command is written, indented as help shows it. */
export function usageLines(path: string, spec: CommandSpec): string[] {
  if (spec.operands?.some(({ kind }) => kind === "command")) return [`  ${path} [options] -- command [arguments...]`];
  if (spec.subcommands !== undefined) return [`  ${path} COMMAND [options]`, `  ${path} --help`];
  const operands = (spec.operands ?? []).map(({ metavar, required }) => (required ? ` ${metavar}` : ` [${metavar}]`));
  return [`  ${path} [options]${operands.join("")}`];
}

function commandSections(spec: CommandSpec, heading: (text: string) => string): string[][] {
  const entries = Object.entries(spec.subcommands ?? {});
  const here = entries.filter(([, command]) => !command.unavailable);
  const later = entries.filter(([, command]) => command.unavailable).map(([name]) => name);
  if (here.length === 0) return [];
  const sections = [
    [heading("Commands:"), ...here.flatMap(([name, { summary }]) => columns(`  ${name}`, summary, 16))],
  ];
  if (later.length > 0) {
    sections.push([heading("Not in this build:"), ...wrap(later.join(", "), helpWidth - 2).map((line) => `  ${line}`)]);
  }
  return sections;
}
