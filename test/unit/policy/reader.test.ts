import { describe, expect, test } from "bun:test";
import { formatKeyPath } from "../../../src/run/policy/key-path.ts";
import { readDocument } from "../../../src/run/policy/reader.ts";
import { policySchema } from "../../../src/run/policy/schema.ts";
import { parseToml } from "../../../src/run/policy/toml.ts";
import { Random } from "./random.ts";
import { randomPolicy } from "./random-policies.ts";

/** The reader goes by the same table as the zod schema, without zod: the two must agree on every document. */

function treeOf(text: string): Readonly<Record<string, unknown>> {
  const outcome = parseToml(text);
  if (!outcome.ok) throw new Error(`${outcome.message}\n${text}`);
  return outcome.tree;
}

/** Where zod's strict objects see a mistake. */
function zodPlaces(tree: unknown): string[] {
  const outcome = policySchema.safeParse(tree);
  const issues = outcome.success ? [] : outcome.error.issues;
  const places = issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
    return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [path];
  });
  return [...new Set(places.map(formatKeyPath))].toSorted();
}

function readerPlaces(tree: Readonly<Record<string, unknown>>): string[] {
  return [...new Set(readDocument(tree).problems.map(({ path }) => formatKeyPath(path)))].toSorted();
}

const strays = [
  "1",
  "-1",
  "0.5",
  "true",
  '"x"',
  '""',
  "[]",
  "{}",
  "[1]",
  '["x", 2]',
  '{ x = 1, "y z" = "1" }',
  "1979-05-27",
  "nan",
];

/** Puts a value where another stood, or a key where none was. */
function astray(random: Random, text: string): string {
  const lines = text.replaceAll(/,\n\s+/g, ", ").split("\n");
  const at = random.int(0, lines.length - 1);
  const line = lines[at] ?? "";
  const stray =
    random.chance(0.3) && line.includes("=")
      ? `k${random.int(0, 9)} = 1\n${line}`
      : line.replace(/= .*$/, `= ${random.pick(strays)}`);
  return lines.with(at, stray).join("\n");
}

describe("the reader and the zod schema", () => {
  test("take the same valid policies, and read the same data", () => {
    for (let seed = 0; seed < 300; seed++) {
      // The path of a profile is made absolute before a document is read.
      const tree = treeOf(randomPolicy(new Random(seed)).replaceAll('"./p.json"', '"/p.json"'));
      const { document, problems } = readDocument(tree);
      const { extends: _, ...data } = policySchema.parse(tree);
      expect(problems).toEqual([]);
      expect<unknown>(document).toEqual(data);
    }
  });

  test("refuse the same documents at the same keys", () => {
    let refused = 0;
    for (let seed = 0; seed < 1500; seed++) {
      const random = new Random(seed);
      let text = randomPolicy(random);
      for (let i = random.int(1, 4); i > 0; i--) text = astray(random, text);
      const outcome = parseToml(text);
      if (!outcome.ok) continue;
      expect(readerPlaces(outcome.tree), text).toEqual(zodPlaces(outcome.tree));
      if (readerPlaces(outcome.tree).length > 0) refused++;
    }
    expect(refused).toBeGreaterThan(500);
  });

  test.each([
    ["zone", 1],
    ["zone", []],
    ["zone", { name: [] }],
    ["env", { set: { A: 1, "A B": 1 } }],
    ["env", { set: "A=1" }],
    ["capabilities", { allowed: { a: 1 } }],
    ["extends", {}],
    ["nothing", {}],
    ["nothing", 1],
    ["network", { nothing: 1, mode: 1, allowed_egress: [1, "1.2.3.4:5", {}] }],
  ])("agree on %s = %p", (key, value) => {
    const tree = { [key]: value };
    expect(readerPlaces(tree)).toEqual(zodPlaces(tree));
    expect(readerPlaces(tree)).not.toEqual([]);
  });
});

describe("the reader", () => {
  test("reads what is well formed beside what is not", () => {
    const { document, problems } = readDocument(
      treeOf('zone = { type = "x", name = "n" }\nenv.pass = ["A", 1, "B"]\nlimits.cpu = "2m"'),
    );
    expect<unknown>(document).toEqual({
      zone: { type: undefined, name: "n" },
      env: { pass: ["A", undefined, "B"] },
      limits: { cpu: 120 },
    });
    expect(problems.map(({ path, part }) => `${part} ${formatKeyPath(path)}`)).toEqual([
      "value zone.type",
      "value env.pass[1]",
    ]);
  });

  test("knows keys of every object for what they are", () => {
    for (const key of ["constructor", "toString", "hasOwnProperty"]) {
      expect(readDocument({ [key]: {} }).problems).toHaveLength(1);
      expect(readDocument({ zone: { [key]: 1 } }).problems).toHaveLength(1);
    }
  });

  test("loads no zod", async () => {
    const entry = `${import.meta.dir}/../../../src/run/policy/parse.ts`;
    const built = await Bun.build({ entrypoints: [entry], target: "bun" });
    expect(built.success).toBe(true);
    const text = (await built.outputs[0]?.text()) ?? "";
    expect(text).toContain("smol-toml");
    expect(text).not.toMatch(/zod/i);
  });
});
