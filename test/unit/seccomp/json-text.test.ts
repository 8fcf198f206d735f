import { describe, expect, test } from "bun:test";
import { type JsonValue, pointerStep, readJsonText } from "../../../src/run/seccomp/json-text.ts";

function value(text: string): JsonValue {
  const read = readJsonText(text);
  if (!read.ok) throw new Error(read.message);
  return read.value;
}

function mistake(text: string): string {
  const read = readJsonText(text);
  if (read.ok) throw new Error("it was read");
  return `${read.line}:${read.column} ${read.message}`;
}

describe("JSON with places", () => {
  test.each([
    "null",
    " true ",
    "[]",
    "{}",
    "[1, 2.5, -3e2, 0, -0.5E-3]",
    '{"a": [{"b": null}], "c": "x"}',
    '"\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u00e9 \\ud83d\\ude00"',
    '"é 😀 ü"',
    '["", "ünïcödé", "\u2028"]',
    '\t{\r\n"a"\n:\n1\n}\n',
  ])("%s is what JSON.parse makes of it", (text) => {
    expect(JSON.stringify(value(text))).toBe(JSON.stringify(JSON.parse(text)));
  });

  test("integers keep all their digits", () => {
    expect(value("[9007199254740991, 9007199254740992, 18446744073709551615, -9223372036854775808]")).toEqual([
      9007199254740991,
      9007199254740992n,
      18446744073709551615n,
      -9223372036854775808n,
    ]);
  });

  test("every value has its line, by JSON pointer", () => {
    const read = readJsonText('{\n "a": [\n  1,\n  {"b/c": 2,\n   "d~": 3}]\n}');
    expect(read.ok && [...read.lines]).toEqual([
      ["", 1],
      ["/a", 2],
      ["/a/0", 3],
      ["/a/1", 4],
      ["/a/1/b~1c", 4],
      ["/a/1/d~0", 5],
    ]);
    expect([pointerStep("a/b~c"), pointerStep(3)]).toEqual(["/a~1b~0c", "/3"]);
  });

  test.each([
    ["", "1:1 a value is expected, not the end of the file"],
    ["{", "1:2 a string is expected, not the end of the file"],
    ['{"a" 1}', '1:6 ":" is expected, not "1"'],
    ['{"a": 1,}', '1:9 a string is expected, not "}"'],
    ["[1,\n2,\n]", '3:1 a value is expected, not "]"'],
    ["[1 2]", '1:4 "," or "]" is expected, not "2"'],
    ["{} {}", '1:4 the end of the file is expected, not "{"'],
    ["// no\n{}", '1:1 a value is expected, not "/"'],
    ["[01]", '1:3 "," or "]" is expected, not "1"'],
    ["[.5]", '1:2 a value is expected, not "."'],
    ["'a'", `1:1 a value is expected, not "'"`],
    ['["a]', '1:2 a string is expected, not "\\""'],
    ['["\\x"]', "1:2 a string with a control character or a bad escape"],
    ['["a\tb"]', "1:2 a string with a control character or a bad escape"],
    ['{\n"a": 1,\n"a": 2}', '3:1 the key "a" is there twice'],
    ["[".repeat(40), "1:34 nested deeper than 32 levels"],
    ["NaN", '1:1 a value is expected, not "N"'],
  ])("%p is refused at its place", (text, message) => {
    expect(mistake(text)).toBe(message);
  });

  test("keys that name JavaScript's own things are just keys", () => {
    const read = value('{"__proto__": {"polluted": 1}, "constructor": 2, "toString": 3}');
    expect(Object.keys(read ?? {})).toEqual(["__proto__", "constructor", "toString"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
