import { describeValue, type Form, quoteShort } from "./form.ts";
import type { KeyPath } from "./key-path.ts";
import type { KeySpec } from "./key-spec.ts";
import {
  extendsKey,
  type PolicyDocument,
  policyKeys,
  policySections,
  sectionsWith,
  topLevelKeys,
} from "./key-table.ts";
import { didYouMean } from "./names.ts";

/** What is wrong with one key of a policy's TOML data. */
export interface KeyProblem {
  readonly path: KeyPath;
  /** Whether the key itself is the mistake, or its value. */
  readonly part: "key" | "value";
  readonly message: string;
  readonly hint?: string | undefined;
}

type Tree = Readonly<Record<string, unknown>>;

/** Reads the TOML data of a policy, strictly: every key has to be in the table, and every value of the key's form. All problems at once. */
export function readDocument(tree: Tree): {
  readonly document: PolicyDocument;
  readonly problems: readonly KeyProblem[];
} {
  const problems: KeyProblem[] = [];
  const document: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(tree)) {
    const section = Object.hasOwn(policySections, key) ? policySections[key as keyof typeof policySections] : undefined;
    if (section !== undefined) document[key] = readSection(key, section.keys, value, problems);
    else if (key === "extends") readForm(extendsKey.form, value, [key], "value", problems);
    else problems.push(unknownKey([key], isTable(value) ? "section" : "key", topLevelKeys));
  }
  return { document, problems };
}

export function isTable(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function readSection(name: string, specs: Readonly<Record<string, KeySpec>>, value: unknown, problems: KeyProblem[]) {
  const section: Record<string, unknown> = {};
  if (!isTable(value)) {
    problems.push({ path: [name], part: "value", message: `expected a table, found ${describeValue(value)}` });
    return section;
  }
  for (const [key, said] of Object.entries(value)) {
    const spec = Object.hasOwn(specs, key) ? specs[key] : undefined;
    if (spec === undefined) problems.push(unknownKey([name, key], "key", Object.keys(specs)));
    else section[key] = readKey(spec, said, [name, key], problems);
  }
  return section;
}

function readKey(spec: KeySpec, value: unknown, path: KeyPath, problems: KeyProblem[]): unknown {
  const refuse = (expected: string) => {
    problems.push({ path, part: "value", message: `expected ${expected}, found ${describeValue(value)}` });
  };
  if (spec.kind === "value") return readForm(spec.form, value, path, "value", problems);
  if (spec.kind === "list") {
    if (!Array.isArray(value)) return refuse('a list such as ["…"]');
    return value.map((item: unknown, index) => readForm(spec.form, item, [...path, index], "value", problems));
  }
  if (!isTable(value)) return refuse('a table such as { CI = "1" }');
  const members = Object.entries(value).map(([name, member]) => {
    readForm(spec.name.form, name, [...path, name], "key", problems);
    return [name, readForm(spec.form, member, [...path, name], "value", problems)] as const;
  });
  return Object.fromEntries(members);
}

function readForm<T>(
  form: Form<T>,
  value: unknown,
  path: KeyPath,
  part: KeyProblem["part"],
  problems: KeyProblem[],
): T | undefined {
  const outcome = form(value);
  if (outcome.ok) return outcome.value;
  problems.push({ path, part, message: outcome.message, hint: outcome.hint });
  return undefined;
}

function unknownKey(path: KeyPath, what: "section" | "key", known: readonly string[]): KeyProblem {
  const key = String(path.at(-1));
  const inSection = path.length > 1 ? ` in [${path[0]}]` : "";
  const message =
    what === "section"
      ? `unknown section [${key.length > 80 ? "…" : key}]`
      : `unknown key ${quoteShort(key)}${inSection}`;
  return { path, part: "key", message, hint: unknownHint(key, known, what === "section") };
}

function unknownHint(key: string, known: readonly string[], isSection: boolean): string {
  const elsewhere = isSection ? undefined : sectionsWith(key)[0];
  if (elsewhere !== undefined) return `${key} belongs in [${elsewhere}]`;
  const expected = isSection ? [...policyKeys.keys()].map((name) => `[${name}]`) : known;
  return didYouMean(key, known) ?? `expected ${expected.join(", ")}`;
}
