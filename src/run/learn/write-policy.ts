import type { Policy } from "../policy/policy.ts";
import type { NeedKey, Needs } from "./needs.ts";

/** How the runs ended on which a learned policy rests. */
export interface Lesson {
  /** What `extends` is to say: a shipped policy's name or an absolute path. */
  readonly extends: string;
  readonly base: Policy;
  readonly needs: Needs;
  /** The last run ended well under the policy that it had: what was refused then was not needed. */
  readonly passed: boolean;
  /** What the last run needed beyond the base was already granted. */
  readonly granted: Needs["keys"];
  readonly runs: number;
  readonly exitCode: number;
}

/** The lists of the base: a key that a policy says replaces the one it extends. */
const listOf: Readonly<Record<NeedKey, (policy: Policy) => readonly string[]>> = {
  "capabilities.allowed": ({ capabilities }) => capabilities.allowed,
  "network.allowed_egress": ({ network }) => network.allowedEgress,
  "filesystem.readable_paths": ({ filesystem }) => filesystem.readablePaths,
  "filesystem.writable_paths": ({ filesystem }) => filesystem.writablePaths,
  "filesystem.allowed_sockets": ({ filesystem }) => filesystem.allowedSockets,
  "devices.allowed": ({ devices }) => devices.allowed,
  "syscalls.allow": ({ syscalls }) => syscalls.allow,
};

/** Written as comments: a key would also need a network mode that lets something out, and an address may be that of a domain that is allowed. */
const notGranted: readonly NeedKey[] = ["network.allowed_egress"];

/** The policy as TOML: what was granted as keys, what was refused and not needed as comments. */
export function writePolicy(lesson: Lesson): string {
  const { needs, granted, passed } = lesson;
  const wanted = passed ? granted : merged(granted, needs.keys);
  const lines = [
    `# Learned by rauha policy learn in ${lesson.runs === 1 ? "1 run" : `${lesson.runs} runs`}; the last one ended with exit code ${lesson.exitCode}.`,
    `extends = ${quote(lesson.extends)}`,
  ];
  const keys = Object.keys(listOf) as NeedKey[];
  let section = "";
  for (const key of keys) {
    const values = wanted.get(key);
    if (values === undefined || notGranted.includes(key)) continue;
    const [name = "", last = ""] = key.split(".");
    if (name !== section) lines.push("", `[${name}]`);
    section = name;
    const had = listOf[key](lesson.base);
    lines.push(`${last} = [`, ...had.map((value) => `  ${quote(value)},`));
    for (const [value, why] of values) if (!had.includes(value)) lines.push(`  ${quote(value)}, # ${words(why)}`);
    lines.push("]");
  }
  const idle = keys.flatMap((key) => {
    const values = needs.keys.get(key);
    if (values === undefined || (!passed && !notGranted.includes(key))) return [];
    return [...values].map(([value, why]) => `# ${key}: ${quote(value)} # ${words(why)}`);
  });
  if (idle.length > 0) {
    const reason = passed
      ? "Refused, and not needed to pass:"
      : "Connections, which take network mode filtered or bridged, and this or allowed_domains:";
    lines.push("", `# ${reason}`, ...idle);
  }
  if (needs.others.length > 0)
    lines.push("", "# No key of a policy gives:", ...needs.others.map((other) => `# ${words(other)}`));
  return `${lines.join("\n")}\n`;
}

/** The values of both. */
export function merged(a: Needs["keys"], b: Needs["keys"]): Map<NeedKey, ReadonlyMap<string, string>> {
  const both = new Map<NeedKey, ReadonlyMap<string, string>>(a);
  for (const [key, values] of b) both.set(key, new Map([...(a.get(key) ?? []), ...values]));
  return both;
}

/** How many values there are. */
export function countNeeds(keys: Needs["keys"]): number {
  return [...keys].reduce((sum, [key, values]) => sum + (notGranted.includes(key) ? 0 : values.size), 0);
}

/** A TOML basic string. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}

/** What a task chose the bytes of, in one line. */
function words(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character would end the comment
  return text.replace(/[\x00-\x1f\x7f]/g, "?");
}
