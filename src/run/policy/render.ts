import { formatDuration, formatSize } from "../units.ts";
import { policyTree } from "./document.ts";
import { appendSegment } from "./key-path.ts";
import { policyKeys } from "./key-table.ts";
import type { Policy } from "./policy.ts";

/** Lists that would pass this column go on lines of their own. */
const maxColumn = 110;

/** The policy as TOML, every key said and defaults filled in, with the place each key comes from. It parses back to the same rules. */
export function renderPolicy(policy: Policy): string {
  const tree = policyTree(policy);
  const lines = [`# Policy ${policy.name}, ${policy.hash}`];
  if (policy.base !== undefined)
    lines.push(`# Extends ${policy.base}: what has no file and line beside it, that policy says.`);
  for (const [section, keys] of policyKeys) {
    lines.push("", `[${section}]`);
    for (const key of keys) {
      const path = `${section}.${key}`;
      const value = path === "zone.name" ? policy.name : tree[section]?.[key];
      if (path === "env.set") lines.push(...renderVariables(policy));
      else if (value === undefined) lines.push(withComment(`# ${key} is not set`, origin(policy, path)));
      else lines.push(withComment(`${key} = ${renderValue(path, value)}`, origin(policy, path)));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** A table of its own: values may be long. */
function renderVariables(policy: Policy): string[] {
  const variables = Object.entries(policy.env.set).map(([name, value]) => {
    return withComment(`${name} = ${quote(value)}`, origin(policy, appendSegment("env.set", name)));
  });
  return variables.length === 0 ? ["set = {}"] : ["", "[env.set]", ...variables];
}

const asSize = (value: unknown) => quote(formatSize(Number(value)));
/** Rounded: 1.005 s are 1004.9999999999999 ms in binary. */
const asDuration = (value: unknown) => quote(formatDuration(Math.round(Number(value) * 1000)));

/** Keys that read better with a unit. */
const units: Readonly<Record<string, (value: unknown) => string>> = {
  "resources.memory_limit": asSize,
  "limits.as": asSize,
  "limits.fsize": asSize,
  "limits.core": asSize,
  "filesystem.tmp_size": asSize,
  "image.layer_size": asSize,
  "limits.walltime": asDuration,
  "limits.cpu": asDuration,
};

function renderValue(path: string, value: unknown): string {
  const unit = units[path];
  if (unit !== undefined) return unit(value);
  if (!Array.isArray(value)) return typeof value === "string" ? quote(value) : String(value);
  const items = value.map((item) => quote(String(item)));
  const line = `[${items.join(", ")}]`;
  return line.length <= maxColumn - path.length ? line : `[\n${items.map((item) => `  ${item},\n`).join("")}]`;
}

/** A TOML basic string: JSON's, but that DEL is escaped as well. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}

/** The comment goes on the first line, where a list opens. */
function withComment(text: string, comment: string): string {
  if (comment === "") return text;
  const end = text.indexOf("\n");
  return end < 0 ? `${text} ${comment}` : `${text.slice(0, end)} ${comment}${text.slice(end)}`;
}

/** Where a key was said, for a policy file of the user's. */
function origin({ places }: Policy, path: string): string {
  const place = places[path];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character would end the comment
  return place === undefined ? "" : `# ${place.file.replace(/[\x00-\x1f\x7f]/g, "?")}:${place.line}`;
}
