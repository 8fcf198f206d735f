/** Feeds the profile reader and the compiler what nobody meant: nothing throws, and every filter is one the kernel would take. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { capabilityNames } from "../../src/run/capabilities.ts";
import { compileSeccomp } from "../../src/run/seccomp/compile.ts";
import { readJsonText } from "../../src/run/seccomp/json-text.ts";
import { parseSeccompProfile } from "../../src/run/seccomp/parse.ts";
import { nativeSyscalls } from "../../src/run/seccomp/syscalls.ts";
import { auditArch, checkFilter, runFilter } from "../unit/seccomp/interpreter.ts";
import { expectedVerdict, randomSource, randomWord } from "../unit/seccomp/reference.ts";
import { fuzz, fuzzTimeoutMs } from "./seeds.ts";

const names = [...nativeSyscalls()];
const shipped = readFileSync("policies/seccomp/default.json", "utf8");
type Random = (below: number) => number;

function pick<T>(random: Random, list: readonly T[]): T {
  const found = list[random(list.length)];
  if (found === undefined) throw new Error("an empty list");
  return found;
}

/** A profile that is nearly always valid. */
function randomProfile(random: Random): string {
  const words = (list: readonly string[], most: number): string[] =>
    Array.from({ length: random(most + 1) }, () => pick(random, list));
  const scope = (): object => ({
    caps: words(capabilityNames, 2),
    arches: random(4) === 0 ? words(["amd64", "arm64", "s390x"], 2) : null,
  });
  const condition = (index: number): object => {
    const value = randomWord(random);
    const op = pick(random, ["EQ", "NE", "LT", "LE", "GT", "GE", "MASKED_EQ"]);
    const second = op === "MASKED_EQ" ? value & randomWord(random) : 0n;
    return { index, value: `@${value}`, valueTwo: `@${second}`, op: `SCMP_CMP_${op}` };
  };
  const action = (): object =>
    random(3) === 0
      ? { action: "SCMP_ACT_ERRNO", errnoRet: random(100) }
      : { action: `SCMP_ACT_${pick(random, ["ALLOW", "LOG", "KILL", "KILL_PROCESS", "TRAP", "NOTIFY"])}` };
  const rule = (): object => ({
    names: [pick(random, names), ...words(names, 5)],
    ...action(),
    args: [0, 1, 2, 3, 4, 5].filter(() => random(5) === 0).map(condition),
    ...(random(4) === 0 ? { includes: scope() } : {}),
    ...(random(4) === 0 ? { excludes: scope() } : {}),
  });
  const start = { names: ["execve", "write", "exit_group"], action: "SCMP_ACT_ALLOW" };
  const profile = {
    defaultAction: pick(random, ["SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW", "SCMP_ACT_KILL_PROCESS"]),
    syscalls: [start, ...Array.from({ length: random(40) }, rule)],
  };
  return JSON.stringify(profile, null, random(3)).replace(/"@(\d+)"/g, "$1");
}

/** The text with some pieces changed, lost or doubled. */
function damage(text: string, random: Random): string {
  let damaged = text;
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(damaged.length + 1);
    const length = random(3) === 0 ? random(200) : random(4);
    const piece = pick(random, [
      "",
      '"',
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "-1",
      "1e99",
      "null",
      "\\u",
      "\u0000",
      "\ud800",
      damaged.slice(at, at + 50),
    ]);
    damaged = damaged.slice(0, at) + piece + damaged.slice(at + length);
  }
  return damaged;
}

describe("seccomp profiles", () => {
  test(
    "random profiles become filters that decide as their words say",
    () => {
      fuzz(400, (seed) => {
        const random = randomSource(seed);
        const parsed = parseSeccompProfile(randomProfile(random), "fuzz.json");
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
        const arch = pick(random, ["x86_64", "aarch64"] as const);
        const capabilities = capabilityNames.filter(() => random(2) === 0);
        const [deny, allow] = [names.filter(() => random(200) === 0), [] as string[]];
        const outcome = compileSeccomp(parsed.profile, { arch, capabilities, deny, allow, deniedAction: "errno" });
        if (!outcome.ok) return;
        expect(checkFilter(outcome.filter)).toEqual([]);
        const values = parsed.profile.rules.flatMap((rule) => rule.conditions.map(({ value }) => value));
        for (let call = 0; call < 200; call++) {
          const number = random(20) === 0 ? random(2 ** 32) : random(480);
          const args = Array.from({ length: 6 }, () =>
            values.length > 0 && random(2) ? pick(random, values) : randomWord(random),
          );
          const { verdict } = runFilter(outcome.filter, { number, arch: auditArch[arch], args });
          expect(verdict).toBe(expectedVerdict(parsed.profile, { arch, capabilities, deny, allow }, number, args));
        }
      });
    },
    fuzzTimeoutMs,
  );

  test(
    "damaged profiles are refused in words, never by a throw",
    () => {
      fuzz(4000, (seed) => {
        const random = randomSource(seed);
        const text = damage(random(4) === 0 ? shipped : randomProfile(random), random);
        const parsed = parseSeccompProfile(text, "fuzz.json");
        if (!parsed.ok) {
          expect(parsed.diagnostics.length).toBeGreaterThan(0);
          for (const { message } of parsed.diagnostics) expect(message.length).toBeLessThan(400);
          return;
        }
        const arch = pick(random, ["x86_64", "aarch64"] as const);
        compileSeccomp(parsed.profile, { arch, capabilities: [], deny: [], allow: [], deniedAction: "notify" });
      });
    },
    fuzzTimeoutMs,
  );

  test(
    "the JSON reader takes what JSON.parse takes, but for doubled keys and depth",
    () => {
      fuzz(6000, (seed) => {
        const random = randomSource(seed);
        const text = damage(randomProfile(random).slice(0, 300 + random(300)), random);
        const read = readJsonText(text);
        const value = jsonParse(text);
        if (read.ok) {
          expect(value).toBeDefined();
          expect(plain(read.value)).toBe(plain(value));
        } else if (value !== undefined) {
          expect(read.message).toMatch(/there twice|nested deeper/);
        }
      });
    },
    fuzzTimeoutMs,
  );
});

function jsonParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON with integers as JavaScript rounds them. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? Number(part) : part));
}
