import { expect, test } from "bun:test";
import { appendSegment } from "../../../src/run/policy/key-path.ts";
import { locateKeys } from "../../../src/run/policy/locate.ts";
import { parseToml } from "../../../src/run/policy/toml.ts";
import { Random } from "./random.ts";
import { randomToml } from "./toml-documents.ts";

const documents = 3000;

/** Every value of a document by its path: tables and arrays as well as what is in them. */
function valuesOf(value: unknown, path = "", found = new Map<string, unknown>()): Map<string, unknown> {
  if (path !== "") found.set(path, value);
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      valuesOf(item, appendSegment(path, index), found);
    });
  } else if (typeof value === "object" && value !== null && !(value instanceof Date)) {
    for (const [key, member] of Object.entries(value)) valuesOf(member, appendSegment(path, key), found);
  }
  return found;
}

const isTable = (value: unknown) => typeof value === "object" && value !== null && !(value instanceof Date);
/** NaN is not itself, and dates are objects: compared as words. */
const words = (value: unknown) => (value instanceof Date ? value.toISOString() : String(value));

test("the locator finds what the parser finds, where it is, in any document", () => {
  let parsed = 0;
  let located = 0;
  for (let seed = 0; seed < documents; seed++) {
    const text = randomToml(new Random(seed));
    const outcome = parseToml(text);
    // Two keys of a table can collide by chance (`a = 1`, `a.b = 2`): that is no document.
    if (!outcome.ok) continue;
    parsed++;
    const locations = locateKeys(text);
    const values = valuesOf(outcome.tree);
    const fault = `seed ${seed}\n${text}`;
    expect([...locations.keys()].toSorted(), fault).toEqual([...values.keys()].toSorted());
    for (const [path, { keyAt, valueAt, valueEnd }] of locations) {
      const value = values.get(path);
      expect(keyAt, fault).toBeLessThanOrEqual(valueAt);
      if (isTable(value)) continue;
      located++;
      const again = parseToml(`x = ${text.slice(valueAt, valueEnd)}`);
      expect(again.ok ? words(again.tree["x"]) : again.message, `${path} of ${fault}`).toBe(words(value));
      expect(/[\s,]/.test(text[keyAt] ?? ""), `${path} of ${fault}`).toBe(false);
    }
  }
  expect(parsed).toBeGreaterThan(documents / 2);
  expect(located).toBeGreaterThan(documents * 3);
});

test("a text that is cut anywhere is no trouble", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const text = randomToml(random);
    for (let i = 0; i < 20; i++) {
      const cut = random.int(0, text.length);
      const locations = locateKeys(text.slice(0, cut) + text.slice(cut + random.int(0, 5)));
      for (const { keyAt, valueAt, valueEnd } of locations.values()) {
        expect(keyAt >= 0 && keyAt <= valueAt && valueAt <= valueEnd && valueEnd <= text.length).toBe(true);
      }
    }
  }
});
