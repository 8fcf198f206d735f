import type { Diagnostic } from "../diagnostic.ts";
import type { z } from "../zod.ts";
import { quoteShort } from "./form.ts";
import type { KeyPath } from "./key-path.ts";
import { policyKeys, sectionsWith, topLevelKeys } from "./keys.ts";
import { didYouMean } from "./names.ts";
import { policySchema } from "./schema.ts";
import { mistake, type PolicySource } from "./source.ts";

/** Everything in a file that the schema refuses, in the order of the file. */
export function checkSchema(source: PolicySource): Diagnostic[] {
  const outcome = policySchema.safeParse(source.tree);
  return outcome.success ? [] : inOrder(outcome.error.issues.flatMap((issue) => diagnose(issue, source)));
}

/** By line and column. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const place = ({ origin }: Diagnostic) =>
    origin?.kind === "policy" ? [origin.line ?? 0, origin.column ?? 0] : [0, 0];
  return diagnostics.toSorted((a, b) => {
    const [[lineA = 0, columnA = 0], [lineB = 0, columnB = 0]] = [place(a), place(b)];
    return lineA - lineB || columnA - columnB;
  });
}

function diagnose(issue: z.core.$ZodIssue, source: PolicySource): Diagnostic[] {
  const path = issue.path.map((segment) => (typeof segment === "number" ? segment : String(segment)));
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(source, path, key));
    case "invalid_key":
      return issue.issues.map((inner) => mistake(source, path, "key", inner.message, hintOf(inner)));
    default:
      return [mistake(source, path, "value", issue.message, hintOf(issue))];
  }
}

function hintOf(issue: z.core.$ZodIssue): string | undefined {
  const hint: unknown = issue.code === "custom" ? issue.params?.["hint"] : undefined;
  return typeof hint === "string" ? hint : undefined;
}

function unknownKey(source: PolicySource, path: KeyPath, key: string): Diagnostic {
  const section = typeof path[0] === "string" ? path[0] : undefined;
  const isTable = section === undefined && typeof source.tree[key] === "object" && !Array.isArray(source.tree[key]);
  const message = isTable
    ? `unknown section [${key.length > 80 ? "…" : key}]`
    : `unknown key ${quoteShort(key)}${section === undefined ? "" : ` in [${section}]`}`;
  const known = section === undefined ? topLevelKeys : (policyKeys.get(section) ?? []);
  return mistake(source, [...path, key], "key", message, unknownHint(key, known, isTable));
}

function unknownHint(key: string, known: readonly string[], isTable: boolean): string {
  const elsewhere = isTable ? undefined : sectionsWith(key)[0];
  const near = didYouMean(key, known);
  if (elsewhere !== undefined) return `${key} belongs in [${elsewhere}]`;
  if (near !== undefined) return near;
  const names = known.map((name) => (isTable && policyKeys.has(name) ? `[${name}]` : name));
  return `expected ${names.filter((name) => !isTable || name.startsWith("[")).join(", ")}`;
}
