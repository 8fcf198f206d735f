/** docs/cli.md: every command and option, from the tables that the program itself parses, helps and completes by. */
import type { CommandSpec } from "../../src/cli/commands/spec.ts";
import { rootSpec } from "../../src/cli/commands/table.ts";
import type { Flag } from "../../src/cli/flags/flag.ts";
import { flagTerm } from "../../src/cli/help/flag-lines.ts";
import { usageLines } from "../../src/cli/help/render.ts";
import type { GeneratedFile } from "./generator.ts";

const introduction = `# The command line

<!-- Generated from src/cli/commands/table.ts and src/cli/flags by scripts/generate/cli-docs.ts; don't edit. -->

Options are read strictly, and all mistakes are reported at once:

- A misspelled option, a value that is not one of the known ones, a repeat of an option that may not repeat, a missing value, and a
  value for a switch (\`--stream=yes\`) are refused. Nothing is guessed; the message names what was probably meant.
- \`--option value\` and \`--option=value\` are the same; so are \`-e A=B\`, \`-eA=B\` and \`-e=A=B\`. Switches may be bundled: \`-it\`. A value that
  begins with \`-\` is attached: \`--env=A=-1\`.
- The command of \`rauha sandbox\` begins after \`--\`, or at the first argument that is no option. Its own options are left alone.
- Sizes: \`1048576\`, \`512Ki\`, \`256M\`, \`4Gi\`; every unit is a power of 1024. Durations: \`30\`, \`30s\`, \`5m\`, \`1h30m\`, \`500ms\`.
- A relative path is taken from the caller's directory. A colon that belongs to a path is written \`\\:\`, a backslash before it \`\\\\\`.
- A mistake that is mended by writing the command line differently exits with 2, any other refusal with 125. With \`--json\` the words on
  stderr come as \`error\` on stdout too.
`;

export function generateCliDocs(): readonly GeneratedFile[] {
  const content = `${introduction}\n${commandSections(["rauha"], rootSpec).join("\n")}`;
  return [{ path: "docs/cli.md", content }];
}

function commandSections(path: readonly string[], spec: CommandSpec): string[] {
  const children = Object.entries(spec.subcommands ?? {});
  const here = children.filter(([, child]) => !child.unavailable);
  const later = children.filter(([, child]) => child.unavailable).map(([name]) => `\`${name}\``);
  const lines = [
    `## ${path.join(" ")}`,
    "",
    `${spec.summary}.`,
    "",
    "```",
    ...usageLines(path.join(" "), spec).map((line) => line.trim()),
    "```",
    "",
    ...(spec.about ?? []).flatMap((paragraph) => [cell(paragraph), ""]),
  ];
  if (later.length > 0) lines.push(`Not in this build: ${later.join(", ")}.`, "");
  lines.push(...optionTables(spec));
  if (spec.exitCodes !== undefined)
    lines.push(
      ...table(
        ["exit code", "meaning"],
        spec.exitCodes.map(([code, words]) => [code, cell(words)]),
      ),
    );
  if (spec.examples.length > 0) {
    lines.push("```sh", ...spec.examples.flatMap(({ line, says }) => [`# ${says}`, line]), "```", "");
  }
  return [lines.join("\n"), ...here.flatMap(([name, child]) => commandSections([...path, name], child))];
}

function optionTables(spec: CommandSpec): string[] {
  const flags = Object.entries(spec.flags);
  const groups = Object.entries(spec.groups).map(([group, title]) => {
    return [title, flags.filter(([, flag]) => flag.group === group && !flag.unavailable)] as const;
  });
  const later = ["Not available in this build", flags.filter(([, flag]) => flag.unavailable)] as const;
  return [...groups, later].flatMap(([title, entries]) => {
    return entries.length === 0
      ? []
      : table(
          [title, "", "default"],
          entries.map(([name, flag]) => optionRow(name, flag)),
        );
  });
}

function optionRow(name: string, flag: Flag): string[] {
  const repeat = flag.repeatable ? "; may repeat" : "";
  const values = "values" in flag ? Object.entries(flag.values) : [];
  const words = values.map(([value, { description, unavailable }]) => {
    return `<br>\`${value}\`: ${cell(description)}${unavailable && !flag.unavailable ? " (not available in this build)" : ""}`;
  });
  const term = flagTerm(name, flag).trim().replace("…", "");
  return [
    `\`${term.replaceAll("|", "\\|")}\``,
    `${cell(flag.description)}${repeat}${words.join("")}`,
    cell(flag.default ?? ""),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`.replaceAll("|  |", "| |");
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line), ""];
}

/** Words in a Markdown cell. */
function cell(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
