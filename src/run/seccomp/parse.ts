import type { Diagnostic } from "../diagnostic.ts";
import { didYouMean } from "../policy/names.ts";
import { type JsonText, type JsonValue, pointerStep, readJsonText } from "./json-text.ts";
import type { SeccompProfile } from "./profile.ts";
import { readProfile } from "./read-profile.ts";
import { keysUnder, profileForm } from "./schema.ts";

/** A profile, or every mistake in it. */
export type ProfileOutcome =
  | { readonly ok: true; readonly profile: SeccompProfile }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** A profile is read up to this many characters; docker's has 13,000. */
const MAX_CHARACTERS = 256 * 1024;
const MAX_DIAGNOSTICS = 50;

/** Reads a profile in the containers' JSON format. `file` is how diagnostics call it. */
export function parseSeccompProfile(text: string, file: string): ProfileOutcome {
  if (text.length > MAX_CHARACTERS) {
    return refused([mistake(file, "", 1, `the profile is longer than ${MAX_CHARACTERS / 1024} KiB`)]);
  }
  const json = readJsonText(text);
  if (!json.ok) {
    const origin = { kind: "policy", policy: "", key: "", file, line: json.line, column: json.column } as const;
    return refused([{ code: "invalid_policy", message: `not JSON: ${json.message}`, origin }]);
  }
  const form = profileForm.safeParse(json.value);
  if (!form.success) return refused(form.error.issues.flatMap((issue) => explainIssue(issue, json, file)));
  const { profile, problems } = readProfile(form.data, (pointer) => ({ file, pointer, line: lineOf(json, pointer) }));
  return problems.length === 0
    ? { ok: true, profile }
    : refused(problems.map(({ place, message, hint }) => mistake(file, place.pointer, place.line, message, hint)));
}

interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  /** The words of a closed list. */
  readonly values?: readonly unknown[];
}

function explainIssue(issue: Issue, json: JsonText & { ok: true }, file: string): Diagnostic[] {
  const pointer = issue.path.map((step) => pointerStep(String(step))).join("");
  if (issue.code === "unrecognized_keys") {
    const known = keysUnder[String(issue.path.findLast((step) => typeof step === "string") ?? "")] ?? [];
    return (issue.keys ?? []).map((key) => {
      const at = pointer + pointerStep(key);
      return mistake(file, at, lineOf(json, at), `unknown key ${quote(key)}`, didYouMean(key, known));
    });
  }
  const found = valueAt(json.value, issue.path);
  const message =
    found === undefined ? `missing: ${issue.message} is expected` : `${issue.message} is expected, not ${quote(found)}`;
  return [mistake(file, pointer, lineOf(json, pointer), message, hintFor(found, issue))];
}

function mistake(file: string, key: string, line: number, message: string, hint?: string): Diagnostic {
  const origin = { kind: "policy", policy: "", key, file, line, column: 1 } as const;
  return { code: "invalid_policy", message, origin, hint };
}

function refused(diagnostics: readonly Diagnostic[]): ProfileOutcome {
  const inOrder = diagnostics.toSorted((a, b) => originLine(a) - originLine(b));
  return { ok: false, diagnostics: inOrder.slice(0, MAX_DIAGNOSTICS) };
}

function originLine({ origin }: Diagnostic): number {
  return origin?.kind === "policy" ? (origin.line ?? 0) : 0;
}

/** The line of a value; of the nearest thing around it when it is missing. */
function lineOf({ lines }: JsonText & { ok: true }, pointer: string): number {
  for (let at = pointer; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const line = lines.get(at);
    if (line !== undefined) return line;
  }
  return lines.get("") ?? 1;
}

function valueAt(value: JsonValue, path: readonly PropertyKey[]): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Readonly<Record<PropertyKey, JsonValue>>)[step];
  }
  return at;
}

function quote(value: JsonValue): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function hintFor(found: JsonValue | undefined, { values = [] }: Issue): string | undefined {
  return typeof found === "string" ? didYouMean(found, values.map(String)) : undefined;
}
