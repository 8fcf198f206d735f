import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { policyJsonSchema } from "../../../src/run/policy/json-schema.ts";
import { shippedPolicyNames } from "../../../src/run/policy/shipped.gen.ts";
import { parseToml } from "../../../src/run/policy/toml.ts";
import { violations } from "../json-schema-check.ts";
import { Random } from "./random.ts";
import { randomPolicy } from "./random-policies.ts";
import { mistakesIn } from "./reading.ts";

const schema = policyJsonSchema();

function violationsIn(toml: string): string[] {
  const outcome = parseToml(toml);
  if (!outcome.ok) throw new Error(outcome.message);
  return violations(schema, outcome.tree);
}

describe("the JSON Schema of policies", () => {
  test.each([...shippedPolicyNames])("takes %s", (name) => {
    const text = readFileSync(join(import.meta.dir, `../../../policies/${name}.toml`), "utf8");
    expect(violationsIn(text)).toEqual([]);
  });

  test("takes what the parser takes", () => {
    for (let seed = 0; seed < 500; seed++) {
      const text = randomPolicy(new Random(seed));
      expect(violationsIn(text), text).toEqual([]);
    }
  });

  test.each([
    ["an unknown section", "[netwrok]"],
    ["an unknown key", "[network]\nmdoe = 'none'"],
    ["a word that is none of the list", "[network]\nmode = 'open'"],
    ["a capability that is none", "capabilities.allowed = ['ALL']"],
    ["a number as text", "resources.pids_max = '512'"],
    ["a number out of range", "resources.pids_max = 1"],
    ["a size with a space", "resources.memory_limit = '4 Gi'"],
    ["a negative size", "limits.core = -1"],
    ["scratch without a limit", "filesystem.tmp_size = 'unlimited'"],
    ["a duration of no unit", "limits.walltime = '1w'"],
    ["a relative path", "filesystem.readable_paths = ['x']"],
    ["a device elsewhere", "devices.allowed = ['/tmp/x']"],
    ["a pattern as a variable", "env.pass = ['LC_*']"],
    ["a variable that is no text", "env.set.A = 1"],
    ["a variable of a strange name", "env.set.'A B' = '1'"],
    ["text where a list belongs", "env.pass = 'LANG'"],
    ["a list where a table belongs", "zone = []"],
    ["text where true or false belongs", "filesystem.shared_layers = 'true'"],
  ])("refuses %s, as the parser does", (_, text) => {
    expect(violationsIn(text)).not.toEqual([]);
    expect(mistakesIn(text)).not.toEqual([]);
  });

  test("refuses nothing that the parser takes, whatever values go astray", () => {
    const strays = [
      "1",
      "-1",
      "0.5",
      "true",
      '"unlimited"',
      '"1Gi"',
      '"1h30m"',
      '"90"',
      '""',
      '"none"',
      "[]",
      "{}",
      '["/dev/x"]',
      "inf",
    ];
    let refused = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const random = new Random(seed);
      const lines = randomPolicy(random)
        .replaceAll(/,\n\s+/g, ", ")
        .split("\n");
      const at = random.int(0, lines.length - 1);
      const text = lines.with(at, (lines[at] ?? "").replace(/= .*$/, `= ${random.pick(strays)}`)).join("\n");
      if (violationsIn(text).length === 0) continue;
      refused++;
      expect(mistakesIn(text), text).not.toEqual([]);
    }
    expect(refused).toBeGreaterThan(100);
  });
});
