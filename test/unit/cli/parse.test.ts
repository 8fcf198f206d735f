import { describe, expect, test } from "bun:test";
import type { FlagTable } from "../../../src/cli/flags/flag.ts";
import { parseFlags } from "../../../src/cli/flags/parse.ts";
import { suggest } from "../../../src/cli/flags/suggest.ts";
import { allLongWords, longName, negatedName, shortName } from "../../../src/cli/flags/table-names.ts";

/** The parser itself, on a table made for it. */
const table = {
  colour: { group: "g", kind: "boolean", negatable: true, short: "c", description: "Colour" },
  quiet: { group: "g", kind: "boolean", short: "q", description: "Quiet" },
  size: {
    group: "g",
    kind: "size",
    metavar: "BYTES",
    short: "s",
    aliases: ["bytes"],
    description: "Size",
    min: 10,
    max: 1024,
  },
  name: { group: "g", kind: "text", metavar: "NAME", short: "n", repeatable: true, description: "Name" },
  old: { group: "g", kind: "boolean", description: "Old", unavailable: true },
} as const satisfies FlagTable;

const mixed = (...argv: string[]) => parseFlags(argv, table, { cwd: "/", operands: "mixed" });
const command = (...argv: string[]) => parseFlags(argv, table, { cwd: "/", operands: "command" });

describe("operands", () => {
  test("mixed: options may stand before, between and after them, until --", () => {
    const { given, operands, diagnostics } = mixed("a", "-q", "b", "--size", "20", "c", "--", "-q", "--");
    expect(diagnostics).toEqual([]);
    expect(operands).toEqual(["a", "b", "c", "-q", "--"]);
    expect([given.one("quiet"), given.one("size")]).toEqual([true, 20]);
  });

  test("command: the first one ends the options", () => {
    const { given, operands } = command("-q", "a", "-c", "--", "b");
    expect(operands).toEqual(["a", "-c", "--", "b"]);
    expect([given.one("quiet"), given.one("colour")]).toEqual([true, undefined]);
  });

  test("- is an operand, and a value", () => {
    expect(mixed("-").operands).toEqual(["-"]);
    expect(mixed("-n", "-").given.all("name")).toEqual(["-"]);
  });

  test("none is none", () => {
    expect(mixed()).toMatchObject({ operands: [], diagnostics: [] });
    expect(mixed("--")).toMatchObject({ operands: [], diagnostics: [] });
  });
});

describe("what was given", () => {
  test("in order, with origins that count repeats", () => {
    const { given } = mixed("-n", "x", "--size=20", "--name=y");
    expect(given.inOrder).toEqual([
      { name: "name", value: "x", origin: { kind: "flag", flag: "--name", index: 1 } },
      { name: "size", value: 20, origin: { kind: "flag", flag: "--size" } },
      { name: "name", value: "y", origin: { kind: "flag", flag: "--name", index: 2 } },
    ]);
    expect(given.flag("name")?.value).toBe("y");
    expect(given.all("name")).toEqual(["x", "y"]);
  });

  test("an ill-formed one was met, and has no value", () => {
    const { given } = mixed("--size=5");
    expect([given.met("size"), given.one("size"), given.met("name")]).toEqual([true, undefined, false]);
  });

  test("a count goes on after an ill-formed one", () => {
    expect(mixed("-n", "", "-n", "b").given.flag("name")?.origin).toMatchObject({ index: 2 });
  });

  test("an alias is its option", () => {
    expect(mixed("--bytes", "20").given.one("size")).toBe(20);
  });
});

describe("bundles", () => {
  test.each([
    [["-cq"], true, true, undefined],
    [["-qc"], true, true, undefined],
    [["-cqs20"], true, true, 20],
    [["-cqs", "20"], true, true, 20],
    [["-cqs=20"], true, true, 20],
    [["-s20"], undefined, undefined, 20],
  ] as const)("%j", (argv, colour, quiet, size) => {
    const { given, diagnostics } = mixed(...argv);
    expect(diagnostics).toEqual([]);
    expect([given.one("colour"), given.one("quiet"), given.one("size")] as unknown[]).toEqual([colour, quiet, size]);
  });

  test("a value for a switch inside a bundle is refused", () => {
    expect(mixed("-qc=no").diagnostics).toMatchObject([
      { message: '-c takes no value, and was given "no"', hint: "write --no-colour" },
    ]);
  });

  test("a letter that there is not names itself, a word that there is not the whole", () => {
    expect(mixed("-qx").diagnostics).toMatchObject([{ message: "unknown option -x" }]);
    expect(mixed("-xyz").diagnostics).toMatchObject([{ message: "unknown option -xyz" }]);
    expect(mixed("-size", "20").diagnostics).toMatchObject([
      { message: "unknown option -size", hint: "did you mean --size?" },
    ]);
    expect(mixed("-size", "20").operands).toEqual([]);
  });
});

describe("bounds and marks", () => {
  test.each([
    ["9", '--size: "9" is less than 10'],
    ["1025", '--size: "1025" is more than 1Ki'],
  ])("%s", (value, message) => {
    expect(mixed("--size", value).diagnostics).toMatchObject([{ code: "invalid_argument", message }]);
  });

  test("an option of a later build", () => {
    expect(mixed("--old", "--old").diagnostics).toEqual([
      {
        code: "unsupported",
        message: "--old is not available in this build",
        hint: "leave --old out",
        origin: { kind: "flag", flag: "--old" },
      },
    ]);
  });

  test("--no- is for switches that have an opposite", () => {
    expect(mixed("--no-colour").given.one("colour")).toBe(false);
    expect(mixed("--no-quiet").diagnostics).toMatchObject([{ message: "unknown option --no-quiet" }]);
    expect(mixed("--no-size").diagnostics).toMatchObject([{ message: "unknown option --no-size" }]);
  });
});

describe("names of a table", () => {
  test("long, short, negated, all", () => {
    expect([longName(table, "size"), longName(table, "bytes"), longName(table, "nope")]).toEqual([
      "size",
      "size",
      undefined,
    ]);
    expect([shortName(table, "s"), shortName(table, "x")]).toEqual(["size", undefined]);
    expect([negatedName(table, "no-colour"), negatedName(table, "no-quiet"), negatedName(table, "colour")]).toEqual([
      "colour",
      undefined,
      undefined,
    ]);
    expect(allLongWords(table)).toEqual(["colour", "no-colour", "quiet", "size", "bytes", "name", "old"]);
  });
});

describe("suggestions", () => {
  const names = ["network", "name", "env", "env-pass"];

  test.each([
    ["netwrok", "network"],
    ["net", "network"],
    ["NETWORK", "network"],
    ["nam", "name"],
    ["env-pas", "env-pass"],
    ["envv", "env"],
    ["qqqqqqq", undefined],
    ["n", undefined],
    ["", undefined],
  ])("%s: %p", (word, meant) => {
    expect(suggest(word, names)).toBe(meant as never);
  });
});
