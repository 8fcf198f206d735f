import type { Flag } from "../flags/flag.ts";
import { columns } from "./layout.ts";

const descriptionColumn = 29;
const valueColumn = 42;

/** `-e, --env NAME=VALUE…` */
export function flagTerm(name: string, flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const aliases = (flag.aliases ?? []).map((alias) => `, --${alias}`).join("");
  const value = flag.kind === "boolean" ? "" : ` ${flag.metavar}`;
  return `${short}--${name}${aliases}${value}${flag.repeatable ? "…" : ""}`;
}

/** An option as help shows it: term, description, default, and the values of an enum. */
export function flagLines(name: string, flag: Flag): string[] {
  const fallback = flag.default === undefined ? "" : ` [default: ${flag.default}]`;
  const lines = columns(`  ${flagTerm(name, flag)}`, flag.description + fallback, descriptionColumn);
  if (!("values" in flag) || flag.unavailable) return lines;
  for (const [value, { description, unavailable }] of Object.entries(flag.values)) {
    const term = `${" ".repeat(descriptionColumn + 2)}${value}`;
    lines.push(
      ...columns(term, unavailable ? `${description} (not available in this build)` : description, valueColumn),
    );
  }
  return lines;
}
