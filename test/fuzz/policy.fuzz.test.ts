import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { locateKeys } from "../../src/run/policy/locate.ts";
import { parsePolicy } from "../../src/run/policy/parse.ts";
import { renderPolicy } from "../../src/run/policy/render.ts";
import { shippedPolicyNames } from "../../src/run/policy/shipped.gen.ts";
import { parseDuration, parseSize } from "../../src/run/units.ts";
import { Random } from "../unit/policy/random.ts";
import { randomPolicy } from "../unit/policy/random-policies.ts";
import { options } from "../unit/policy/reading.ts";
import { randomToml } from "../unit/policy/toml-documents.ts";
import { fuzz, fuzzTimeoutMs, manySeeds } from "./seeds.ts";

/**
 * Policy text is hostile input: whatever it is, reading it gives a policy or diagnostics with places, in bounded time, and throws
 * nothing.
 */
const root = join(import.meta.dir, "../..");
const shippedTexts = shippedPolicyNames.map((name) => readFileSync(join(root, `policies/${name}.toml`), "utf8"));

/** Pieces that break things when they turn up in the wrong place. */
const pieces = [
  ...['"', "'", '"""', "'''", "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\\", "\n", "\r", "\r\n", "\t", " "],
  ...[
    "\0",
    "\ufeff",
    "\u007f",
    "\u2028",
    "é",
    "😀",
    "\ud800",
    "__proto__",
    "constructor",
    "toString",
    "\\u0000",
    "\\ud800",
  ],
  ...["nan", "inf", "-0", "1e999", "9223372036854775808", "0x7f", "1979-05-27", "07:32:00", "true", "[]", "{}", '""'],
  ...[
    'extends = "task"',
    'extends = "p.toml"',
    "[network]",
    "[[zone]]",
    '"unlimited"',
    '"@npm"',
    '"host"',
    '"::/0:*"',
    "a.b.c = 1",
  ],
];

/** Runs of each test in `make test`: a second or two. */
const runs = 20_000;

function mutate(random: Random, text: string): string {
  let mutant = text;
  for (let i = random.int(1, 6); i > 0; i--) {
    const at = random.int(0, mutant.length);
    const length = random.int(0, random.chance(0.1) ? mutant.length : 12);
    const other = random.int(0, mutant.length);
    const inserted = random.pick([
      () => "",
      () => random.pick(pieces),
      () => random.pick(pieces).repeat(random.int(1, 40)),
      () => mutant.slice(other, other + random.int(0, 60)),
      () => String.fromCharCode(random.int(0, 0xffff)),
    ])();
    mutant = mutant.slice(0, at) + inserted + mutant.slice(at + length);
  }
  return mutant;
}

/** Reads a text and checks what comes out, whatever that is. True for a policy. */
function check(text: string | Uint8Array): boolean {
  const start = performance.now();
  const outcome = parsePolicy(text, options());
  expect(performance.now() - start).toBeLessThan(5000);
  if (outcome.ok) {
    const again = parsePolicy(renderPolicy(outcome.policy), options());
    expect(again.ok && again.policy.hash).toBe(outcome.policy.hash);
    return true;
  }
  const lines = (typeof text === "string" ? text : new TextDecoder().decode(text)).split("\n");
  expect(outcome.diagnostics.length).toBeGreaterThan(0);
  for (const { code, message, origin } of outcome.diagnostics) {
    expect([code, origin?.kind]).toEqual(["invalid_policy", "policy"]);
    expect(message.length).toBeGreaterThan(0);
    expect(message.length).toBeLessThan(2000);
    if (origin?.kind !== "policy") continue;
    const { file, line = 0, column = 0 } = origin;
    expect(file).toBe("p.toml");
    expect(line).toBeWithin(1, lines.length + 1);
    expect(column).toBeWithin(1, (lines[line - 1]?.length ?? 0) + 2);
  }
  return false;
}

test(
  "mutants of valid policies",
  () => {
    let valid = 0;
    const tried = fuzz(runs, (seed) => {
      const random = new Random(seed);
      const text = random.chance(0.5) ? random.pick(shippedTexts) : randomPolicy(random);
      if (check(mutate(random, text))) valid++;
    });
    // Both ways out are taken.
    if (manySeeds) expect([valid > 0, valid < tried]).toEqual([true, true]);
  },
  fuzzTimeoutMs,
);

test(
  "any TOML, and mutants of it",
  () => {
    fuzz(runs, (seed) => {
      const random = new Random(seed);
      const text = randomToml(random);
      check(text);
      check(mutate(random, text));
    });
  },
  fuzzTimeoutMs,
);

test(
  "bytes",
  () => {
    fuzz(runs, (seed) => {
      const random = new Random(seed);
      const bytes = new TextEncoder().encode(random.pick(shippedTexts));
      for (let i = random.int(1, 8); i > 0; i--) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
      check(random.chance(0.9) ? bytes : Uint8Array.from(random.list(200, () => random.int(0, 255))));
    });
  },
  fuzzTimeoutMs,
);

test(
  "the locator, without a parser before it",
  () => {
    fuzz(runs, (seed) => {
      const random = new Random(seed);
      const text = mutate(random, random.chance(0.5) ? random.pick(shippedTexts) : randomToml(random));
      for (const { keyAt, valueAt, valueEnd } of locateKeys(text).values()) {
        expect(keyAt >= 0 && keyAt <= valueAt && valueAt <= valueEnd && valueEnd <= text.length).toBe(true);
      }
    });
  },
  fuzzTimeoutMs,
);

test(
  "sizes and durations",
  () => {
    const words = [
      "0",
      "1",
      "9",
      "99999",
      ".",
      "-",
      "+",
      "e",
      "k",
      "Ki",
      "G",
      "iB",
      "b",
      "d",
      "h",
      "m",
      "s",
      "ms",
      " ",
      "\n",
      "_",
    ];
    fuzz(runs, (seed) => {
      const random = new Random(seed);
      const text = random.list(8, () => random.pick(words)).join("");
      for (const value of [parseSize(text), parseDuration(text)]) {
        if (value !== undefined) expect(Number.isSafeInteger(value) && value >= 0, text).toBe(true);
      }
    });
  },
  fuzzTimeoutMs,
);
