import { describe, expect, test } from "bun:test";
import type { ArgCondition } from "../../../src/run/seccomp/profile.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { auditArch, checkFilter, disassemble, runFilter } from "./interpreter.ts";
import { errno, filterOf, profileOf, rule } from "./profiles.ts";
import { ALLOW, EPERM, edges, expectedVerdict, holds, randomSource, randomWord } from "./reference.ts";

const arch = auditArch.x86_64;
const ioctl = syscallTable("x86_64").numbers.get("ioctl") ?? -1;
const operators = ["eq", "ne", "lt", "le", "gt", "ge"] as const;
const interesting = [
  0n,
  1n,
  0x5412n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1_0000_0001n,
  0x1234_5678_9abc_def0n,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];

function expectAgreement(conditions: readonly ArgCondition[], vectors: readonly (readonly bigint[])[]): void {
  const filter = filterOf(profileOf([rule("ioctl", undefined, conditions)]));
  expect(checkFilter(filter)).toEqual([]);
  for (const args of vectors) {
    const expected = conditions.every((condition) => holds(condition, args)) ? ALLOW : EPERM;
    const { verdict } = runFilter(filter, { number: ioctl, arch, args });
    if (verdict !== expected)
      throw new Error(`[${args.map(String)}]: ${verdict}, not ${expected}\n${disassemble(filter)}`);
  }
}

describe("a condition on one argument", () => {
  for (const op of operators) {
    test(`${op} compares all 64 bits, without sign`, () => {
      for (const value of interesting) {
        for (const index of [0, 3, 5]) {
          const vectors = edges(value).map((arg) => Array.from({ length: 6 }, (_, i) => (i === index ? arg : ~arg)));
          expectAgreement([{ index, op, value }], vectors);
        }
      }
    });
  }

  test("masked_eq looks at the mask's bits and no others", () => {
    const masks = [...interesting, 0xfn, 0o4000n, 0xf000n, 0x7e02_0000n, 0xffff_0000_ffff_0000n];
    for (const mask of masks) {
      for (const bits of [0n, mask, mask & 0x5555_5555_5555_5555n, mask & -mask]) {
        const condition = { index: 1, op: "masked_eq", mask, value: bits } as const;
        expectAgreement(
          [condition],
          edges(bits, mask).map((arg) => [~arg, arg]),
        );
      }
    }
  });

  test("a masked value that can't be there never holds", () => {
    const filter = filterOf(
      profileOf([rule("ioctl", undefined, [{ index: 0, op: "masked_eq", mask: 1n, value: 1n << 40n }])]),
    );
    expect(runFilter(filter, { number: ioctl, arch, args: [1n << 40n] }).verdict).toBe(EPERM);
  });
});

describe("conditions and rules together", () => {
  test("the conditions of one rule must all hold", () => {
    const conditions = [
      { index: 0, op: "masked_eq", mask: 0xffff_ffffn, value: 2n },
      { index: 1, op: "masked_eq", mask: 0xfn, value: 1n },
      { index: 2, op: "lt", value: 0x1_0000_0000n },
    ] as const;
    const values = [0n, 1n, 2n, 0x801n, 0x1_0000_0002n, 0x2_0000_0001n];
    expectAgreement(
      conditions,
      values.flatMap((a) => values.flatMap((b) => values.map((c) => [a, b, c]))),
    );
  });

  test("the first rule that holds decides, whatever comes after", () => {
    const filter = filterOf(
      profileOf([
        rule("ioctl", errno(5), [{ index: 1, op: "eq", value: 7n }]),
        rule("ioctl", errno(6), [{ index: 1, op: "lt", value: 10n }]),
        rule("ioctl"),
        rule("ioctl", errno(7), [{ index: 1, op: "eq", value: 11n }]),
        rule("ioctl", errno(8)),
      ]),
    );
    const answers = [6n, 7n, 8n, 10n, 11n].map(
      (arg) => runFilter(filter, { number: ioctl, arch, args: [0n, arg] }).verdict,
    );
    expect(answers).toEqual([0x50006, 0x50005, 0x50006, ALLOW, ALLOW]);
  });

  test("a rule that changes nothing costs nothing", () => {
    const same = profileOf([rule("ioctl"), rule("ioctl", undefined, [{ index: 1, op: "eq", value: 1n }])]);
    expect(filterOf(same)).toEqual(filterOf(profileOf([rule("ioctl")])));
    const denied = profileOf([rule("ioctl", errno(1), [{ index: 1, op: "eq", value: 1n }])]);
    expect(runFilter(filterOf(denied), { number: ioctl, arch }).looked).toBe(false);
  });

  test("random rules decide as their words say", () => {
    const random = randomSource(3);
    for (let round = 0; round < 300; round++) {
      const conditions = (): ArgCondition[] =>
        Array.from({ length: 1 + random(3) }, (): ArgCondition => {
          const index = random(6);
          const value = randomWord(random);
          const mask = value | randomWord(random);
          const op = operators[random(8)];
          return op === undefined ? { index, op: "masked_eq", mask, value } : { index, op, value };
        });
      const rules = Array.from({ length: 1 + random(5) }, () => rule("ioctl", errno(random(5)), conditions()));
      const profile = profileOf(rules);
      const filter = filterOf(profile);
      expect(checkFilter(filter)).toEqual([]);
      for (let vector = 0; vector < 40; vector++) {
        const args = Array.from({ length: 6 }, () => randomWord(random));
        for (const { index, value } of rules.flatMap((one) => one.conditions)) {
          if (random(2) === 0) args[index] = edges(value)[random(12)] ?? value;
        }
        const { verdict } = runFilter(filter, { number: ioctl, arch, args });
        expect(verdict).toBe(expectedVerdict(profile, { arch: "x86_64" }, ioctl, args));
      }
    }
  });
});
