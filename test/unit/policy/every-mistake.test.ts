/** Each key of a policy with each wrong kind of value, and misspelled in each place: told where it is, what was expected, what was meant. */
import { describe, expect, test } from "bun:test";
import { renderOrigin } from "../../../src/run/diagnostic.ts";
import { policyKeys } from "../../../src/run/policy/key-table.ts";
import { readPolicy } from "./reading.ts";

const keys = [...policyKeys].flatMap(([section, names]) => names.map((name) => [section, name] as const));

/** TOML values of every kind, as they are written. */
const strays = [
  '"stray word"',
  '""',
  '"-1"',
  '"0x10"',
  '"1e3"',
  '"unlimitd"',
  "-1",
  "-0.5",
  "1e300",
  "nan",
  "inf",
  "99999999999999",
  "true",
  "[]",
  "[[]]",
  "[1]",
  '["", "/"]',
  "{ a = 1 }",
  "1979-05-27T07:32:00Z",
  '"""\n/x\n"""',
];

interface Told {
  readonly message: string;
  readonly hint: string | undefined;
  readonly place: string;
}

function told(text: string): Told[] {
  const outcome = readPolicy(text);
  if (outcome.ok) return [];
  return outcome.diagnostics.map(({ message, hint, origin }) => ({
    message,
    hint,
    place: origin === undefined ? "" : renderOrigin(origin),
  }));
}

describe("each key with a value that it can't have", () => {
  test("there are keys enough", () => expect(keys.length).toBeGreaterThan(30));

  test.each(keys)("%s.%s", (section, name) => {
    let refused = 0;
    for (const value of strays) {
      const lead = "# a line before\n\n";
      const line = `  ${name}   = ${value}`;
      const found = told(`${lead}[${section}]\n${line}\n`).filter(({ place }) => place.includes(`${section}.${name}`));
      refused += found.length > 0 ? 1 : 0;
      for (const { message, place } of found) {
        const [, row, column] = /^p\.toml:(\d+):(\d+) /.exec(place) ?? [];
        // The value itself, or what is in it.
        expect([value, Number(row) >= 4]).toEqual([value, true]);
        if (Number(row) === 4) expect([value, Number(column) >= line.indexOf(value) + 1]).toEqual([value, true]);
        expect(message.length).toBeGreaterThan(8);
        expect(message).not.toMatch(/undefined|\[object|NaN/);
      }
    }
    expect(refused).toBeGreaterThan(5);
  });
});

describe("each key misspelled", () => {
  test.each(keys)("%s.%s", (section, name) => {
    let missed = 0;
    for (let at = 0; at < name.length; at++) {
      const word = name.slice(0, at) + name.slice(at + 1);
      if (word === "" || policyKeys.get(section)?.includes(word)) continue;
      const [first, ...others] = told(`[${section}]\n${word} = 1\n`);
      expect(others).toEqual([]);
      expect(first?.place).toBe(`p.toml:2:1 ${section}.${word}`);
      if (!`${first?.message} ${first?.hint}`.includes(name)) missed++;
    }
    // Another key may be as near: allowed_igress is allowed_egress as well. Of three letters nothing is guessed.
    expect(missed).toBeLessThan(name.length > 3 ? 3 : 4);
  });

  test.each([...policyKeys.keys()])("the section %s", (section) => {
    for (let at = 0; at < section.length && section.length > 3; at++) {
      const word = section.slice(0, at) + section.slice(at + 1);
      if (policyKeys.has(word)) continue;
      const [first] = told(`[${word}]\n`);
      expect(first?.place).toStartWith("p.toml:1:");
      expect([word, `${first?.message} ${first?.hint}`]).toEqual([word, expect.stringContaining(section)]);
    }
  });
});
