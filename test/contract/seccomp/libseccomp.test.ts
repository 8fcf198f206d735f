import { afterAll, describe, expect, test } from "bun:test";
import { capabilityNames } from "../../../src/run/capabilities.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import { defaultProfile } from "../../../src/run/seccomp/default-profile.gen.ts";
import type { Arch, ArgCondition, SeccompProfile, SeccompRule } from "../../../src/run/seccomp/profile.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { auditArch, checkFilter, runFilter } from "../../unit/seccomp/interpreter.ts";
import { allow, errno, filterOf, profileOf, rule } from "../../unit/seccomp/profiles.ts";
import { ENOSYS, edges, randomSource, randomWord } from "../../unit/seccomp/reference.ts";
import { exportLines, openLibseccomp } from "./libseccomp.ts";

const opened = openLibseccomp();
const libseccomp = typeof opened === "string" ? undefined : opened;
afterAll(() => libseccomp?.close());

const arches = ["x86_64", "aarch64"] as const;

/** Names the newest call, so that no known one counts as newer than the profile. */
const upToDate = rule("file_setattr", errno(2));

/** Our filter and libseccomp's for one profile, and the calls whose rules both know. */
function both(profile: SeccompProfile, arch: Arch, capabilities: readonly string[] = []) {
  if (!libseccomp) throw new Error(String(opened));
  const known = libseccomp.known(arch);
  const theirs = libseccomp.run(exportLines(profile, { arch, capabilities }, known)).filter;
  const ours = filterOf(profile, { arch, capabilities });
  expect(checkFilter(theirs)).toEqual([]);
  return { ours, theirs, known };
}

/** Argument vectors at the edges of all conditions on one call, each argument in turn and some at random. */
function vectors(rules: readonly SeccompRule[], name: string, random: (below: number) => number): bigint[][] {
  const conditions = rules.filter(({ names }) => names.includes(name)).map((one) => one.conditions);
  const all = conditions.flat();
  const base = (list: readonly ArgCondition[]): bigint[] => {
    const args = Array.from({ length: 6 }, () => randomWord(random));
    for (const { index, value } of list) args[index] = value;
    return args;
  };
  const near = ({ op, index, value }: ArgCondition, list: readonly ArgCondition[]): bigint[][] => {
    const mask = list.find((one) => one.index === index && one.op === "masked_eq");
    return edges(value, op === "masked_eq" && mask?.op === "masked_eq" ? mask.mask : undefined).map((arg) =>
      base(list).with(index, arg),
    );
  };
  const single = conditions.flatMap((list) => list.flatMap((condition) => near(condition, list)));
  const mixed = Array.from({ length: all.length > 0 ? 200 : 2 }, () => {
    const args = base([]);
    for (const { index, value } of all) if (random(3) === 0) args[index] = edges(value)[random(13)] ?? value;
    return args;
  });
  return [Array(6).fill(0n), Array(6).fill((1n << 64n) - 1n), ...single, ...mixed];
}

/** Runs both filters over every call and every vector; returns how many answers were compared. */
function compare(profile: SeccompProfile, arch: Arch, capabilities: readonly string[] = []): number {
  const { ours, theirs, known } = both(profile, arch, capabilities);
  const random = randomSource(7);
  const table = syscallTable(arch);
  let compared = 0;
  const differences: string[] = [];
  const ask = (number: number, args: readonly bigint[], expected?: number): void => {
    const data = { number, arch: auditArch[arch], args };
    const [our, their] = [runFilter(ours, data).verdict, expected ?? runFilter(theirs, data).verdict];
    compared += 1;
    if (our !== their)
      differences.push(
        `${table.names.get(number) ?? number} [${args.map((arg) => arg.toString(16))}]: ${our} ${their}`,
      );
  };
  for (const [name, number] of table.numbers) {
    if (known.has(name)) for (const args of vectors(profile.rules, name, random)) ask(number, args);
  }
  // No call has these numbers: libseccomp gives its default, we say that they don't exist.
  for (let number = 0; number < 1000; number++) {
    if (!table.names.has(number)) ask(number, [], profile.defaultAction.kind === "allow" ? undefined : ENOSYS);
  }
  expect(differences.slice(0, 10)).toEqual([]);
  return compared;
}

describe.skipIf(libseccomp === undefined)("libseccomp makes filters that decide alike", () => {
  for (const arch of arches) {
    test.each([
      ["no capabilities", []],
      ["those of the privileged policy", shippedPolicies["privileged"]?.capabilities.allowed ?? []],
      ["all of them", capabilityNames],
    ])(`${arch}: the default profile with %s`, (_, capabilities) => {
      expect(compare(defaultProfile, arch, capabilities)).toBeGreaterThan(3000);
    });

    test(`${arch}: libseccomp knows nearly all calls, so that little goes unjudged`, () => {
      const { known } = both(profileOf([]), arch);
      expect([...syscallTable(arch).numbers.keys()].filter((name) => !known.has(name)).length).toBeLessThan(30);
    });

    test(`${arch}: each comparison at each edge`, () => {
      const values = [
        0n,
        1n,
        0x7fff_ffffn,
        0xffff_ffffn,
        0x1_0000_0000n,
        0x1234_5678_9abc_def0n,
        (1n << 63n) + 5n,
        (1n << 64n) - 1n,
      ];
      for (const op of ["eq", "ne", "lt", "le", "gt", "ge"] as const) {
        const names = ["fcntl", "prctl", "lseek", "kill", "dup3", "listen", "socket", "openat"];
        const rules = values.map((value, at) => rule(names[at] ?? "", allow, [{ index: at % 6, op, value }]));
        compare(profileOf([...rules, upToDate], errno(13)), arch);
      }
    });

    test(`${arch}: conditions on several arguments`, () => {
      const rules = [
        rule("fcntl", errno(5), [
          { index: 0, op: "gt", value: 7n },
          { index: 1, op: "ne", value: 0x1_0000_0003n },
          { index: 5, op: "masked_eq", mask: 0xff00_0000_00ffn, value: 0x1200_0000_0034n },
        ]),
        rule("lseek", { kind: "trap" }, [
          { index: 2, op: "le", value: 2n },
          { index: 3, op: "ge", value: 1n << 40n },
        ]),
        rule("kill", { kind: "log" }),
      ];
      compare(profileOf(rules, allow), arch);
    });

    test(`${arch}: random rules on bits`, () => {
      const random = randomSource(23);
      for (let round = 0; round < 12; round++) {
        const names = ["fcntl", "prctl", "lseek", "kill", "dup3", "listen", "socket", "openat"];
        const rules = names.flatMap((name) =>
          Array.from({ length: 1 + random(3) }, () => {
            const conditions = Array.from({ length: 6 }, (_, index) => index)
              .filter(() => random(3) === 0)
              .map((index): ArgCondition => {
                const mask = randomWord(random) & randomWord(random) & 0xffff_0000_00ffn;
                return { index, op: "masked_eq", mask, value: mask & randomWord(random) };
              });
            return rule(name, allow, conditions);
          }),
        );
        compare(profileOf([...rules, upToDate]), arch);
      }
    });
  }
});

test("the exporter could be built", () => {
  expect(typeof opened === "string" ? opened : "").toBe("");
});
