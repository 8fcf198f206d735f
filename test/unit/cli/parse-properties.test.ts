import { describe, expect, test } from "bun:test";
import type { Flag } from "../../../src/cli/flags/flag.ts";
import { parseSandboxArgs } from "../../../src/cli/flags/sandbox.ts";
import { sandboxFlags } from "../../../src/cli/flags/sandbox-table.ts";

/** Random command lines with a fixed seed: whatever is typed, the parser answers, and never guesses. */

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const cwd = "/home/me";
const flags: readonly (readonly [string, Flag])[] = Object.entries(sandboxFlags);

const fragments = [
  ...flags.flatMap(([name, flag]) => [
    `--${name}`,
    `--${name}=x`,
    `--no-${name}`,
    ...(flag.short ? [`-${flag.short}`] : []),
  ]),
  ...[
    "--",
    "-",
    "---",
    "--=",
    "-=",
    "",
    " ",
    "-it",
    "-ti",
    "-eA=1",
    "-e",
    "A=1",
    "/a:/b",
    "5m",
    "4Gi",
    "none",
    "1000:1000",
  ],
  ...[
    "ls",
    "-l",
    "\u0000",
    "\ud800",
    "é",
    "--é",
    "-é",
    "–x",
    "=",
    ":",
    "\\:",
    "a".repeat(5000),
    "-".repeat(300),
    "~",
    "~/x",
  ],
];

describe("any command line", () => {
  test("is accepted with a command, or refused with a reason and a way out", () => {
    const random = randomNumbers(1);
    for (let i = 0; i < 20_000; i++) {
      const length = Math.floor(random() * 8);
      const argv = Array.from({ length }, () => fragments[Math.floor(random() * fragments.length)] ?? "");
      const parsed = parseSandboxArgs(argv, { cwd });
      if (parsed.ok) {
        const { help, request } = parsed.invocation;
        const brought = parsed.invocation.image !== undefined;
        expect([argv, help || brought || request.command.length > 0]).toEqual([argv, true]);
        // What is run is what was typed last, untouched.
        if (!help && request.command.length > 0)
          expect(argv.slice(-request.command.length)).toEqual([...request.command]);
      } else {
        expect([argv, parsed.diagnostics.length > 0]).toEqual([argv, true]);
        for (const { message } of parsed.diagnostics) expect(message.length).toBeLessThan(400);
      }
    }
  }, 60_000);

  test("a well-formed one means the same in every spelling and order", () => {
    const given: readonly (readonly [name: string, short: string | undefined, value: string])[] = [
      ["workdir", "w", "/x"],
      ["timeout", undefined, "5m"],
      ["memory", undefined, "1Gi"],
      ["policy", undefined, "strict"],
      ["user", undefined, "5:6"],
      ["hostname", undefined, "h"],
      ["env", "e", "A=b=c"],
      ["ro-bind", "b", "/a:/b"],
    ];
    const random = randomNumbers(2);
    const spell = ([name, short, value]: (typeof given)[number]): string[] => {
      const choices = [[`--${name}`, value], [`--${name}=${value}`]];
      if (short !== undefined)
        choices.push([`-${short}`, value], [`-${short}${value}`], [`-${short}=${value}`], [`-i${short}`, value]);
      return choices[Math.floor(random() * choices.length)] ?? [];
    };
    const first = parseSandboxArgs(["-i", ...given.flatMap(spell), "--", "true"], { cwd });
    expect(first.ok).toBe(true);
    for (let i = 0; i < 500; i++) {
      const order = given.toSorted(() => random() - 0.5);
      expect(parseSandboxArgs([...order.flatMap(spell), "-i", "true"], { cwd })).toEqual(first);
    }
  });
});

describe("any misspelling by one letter", () => {
  const known = new Set(flags.flatMap(([name, flag]) => [name, ...(flag.aliases ?? [])]));

  test("is refused, and answered with an option that there is", () => {
    for (const [name] of flags) {
      if (name.length < 4) continue;
      for (let at = 0; at < name.length; at++) {
        const word = name.slice(0, at) + name.slice(at + 1);
        if (known.has(word)) continue;
        const parsed = parseSandboxArgs([`--${word}`, "--", "true"], { cwd });
        const [diagnostic] = parsed.ok ? [] : parsed.diagnostics;
        expect([word, diagnostic?.message]).toEqual([word, `unknown option --${word}`]);
        expect([word, diagnostic?.hint]).toEqual([word, expect.stringMatching(/^(did you mean --|write |leave )/)]);
      }
    }
  });
});
