import { describe, expect, test } from "bun:test";
import { defaultProfile } from "../../../src/run/seccomp/default-profile.gen.ts";
import type { SeccompRule } from "../../../src/run/seccomp/profile.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { auditArch, checkFilter, runFilter } from "./interpreter.ts";
import { allow, errno, filterOf, profileOf, refusals, rule, start } from "./profiles.ts";
import { ALLOW, ENOSYS, EPERM, expectedVerdict, KILL_PROCESS, randomSource } from "./reference.ts";

const arches = ["x86_64", "aarch64"] as const;

describe("the search for a system call", () => {
  for (const arch of arches) {
    test(`${arch}: every number gets its decision`, () => {
      const filter = filterOf(defaultProfile, { arch });
      expect(checkFilter(filter)).toEqual([]);
      for (let number = 0; number < 1024; number++) {
        const { verdict } = runFilter(filter, { number, arch: auditArch[arch] });
        expect([number, verdict]).toEqual([number, expectedVerdict(defaultProfile, { arch }, number, [])]);
      }
    });

    test(`${arch}: the kernel can learn which calls are always allowed`, () => {
      const filter = filterOf(defaultProfile, { arch });
      const free = [...syscallTable(arch).numbers].filter(([, number]) => {
        const { looked, verdict } = runFilter(filter, { number, arch: auditArch[arch] });
        return !looked && verdict === ALLOW;
      });
      const names = free.map(([name]) => name);
      const hot = ["read", "write", "openat", "close", "fstat", "newfstatat", "mmap", "futex", "recvmsg", "execve"];
      expect(hot.filter((name) => !names.includes(name))).toEqual([]);
      expect(free.length).toBeGreaterThan(240);
    });

    test(`${arch}: frequent calls are near the root, and nothing is far`, () => {
      const filter = filterOf(defaultProfile, { arch });
      const steps = (name: string): number => {
        const number = syscallTable(arch).numbers.get(name) ?? -1;
        return runFilter(filter, { number, arch: auditArch[arch] }).steps;
      };
      for (const name of ["read", "write", "openat", "close"]) expect(steps(name)).toBeLessThanOrEqual(10);
      for (const name of syscallTable(arch).numbers.keys()) expect(steps(name)).toBeLessThanOrEqual(32);
      expect(filter.length / 8).toBeLessThan(300);
    });
  }

  test("other architectures are killed whatever they ask", () => {
    for (const arch of arches) {
      const filter = filterOf(defaultProfile, { arch });
      const others = [...Object.values(auditArch), 0, 0xffff_ffff].filter((other) => other !== auditArch[arch]);
      for (const other of others) {
        for (const number of [0, 1, 11, 59, 0x4000_0000, 0xffff_ffff]) {
          expect(runFilter(filter, { number, arch: other }).verdict).toBe(KILL_PROCESS);
        }
      }
    }
  });

  test("x32 numbers are killed on x86-64; the number of a skipped call is answered as by the kernel", () => {
    const filter = filterOf(defaultProfile);
    const answer = (number: number): number => runFilter(filter, { number, arch: auditArch.x86_64 }).verdict;
    expect([0x4000_0000, 0x4000_0001, 0x4000_0200, 0x8000_0000, 0xffff_fffe].map(answer)).toEqual(
      Array(5).fill(KILL_PROCESS),
    );
    expect([470, 1000, 0x3fff_ffff, 0xffff_ffff].map(answer)).toEqual(Array(4).fill(ENOSYS));
    const arm = filterOf(defaultProfile, { arch: "aarch64" });
    expect(runFilter(arm, { number: 0xffff_ffff, arch: auditArch.aarch64 }).verdict).toBe(ENOSYS);
  });
});

describe("filters of any size", () => {
  /** Rules on arguments for many calls: blocks that lie further away than a conditional jump reaches. */
  function manyRules(perCall: number, calls: number): SeccompRule[] {
    const names = [...syscallTable("x86_64").numbers.keys()]
      .filter((name) => !start.names.includes(name))
      .slice(0, calls);
    return names.flatMap((name, call) =>
      Array.from({ length: perCall }, (_, at) =>
        rule(name, allow, [{ index: at % 6, op: "eq", value: BigInt(call * 100 + at) }]),
      ),
    );
  }

  test("jumps reach across thousands of instructions", () => {
    const profile = profileOf(manyRules(4, 200));
    const filter = filterOf(profile);
    expect(checkFilter(filter)).toEqual([]);
    expect(filter.length / 8).toBeGreaterThan(2000);
    for (let number = 0; number < 480; number++) {
      for (const at of [0, 1, 3, 5]) {
        const args = Array.from({ length: 6 }, (_, i) => (i === at ? BigInt(number * 100 + at) : 0n));
        const { verdict } = runFilter(filter, { number, arch: auditArch.x86_64, args });
        expect(verdict).toBe(expectedVerdict(profile, { arch: "x86_64" }, number, args));
      }
    }
  });

  test("one call with hundreds of rules", () => {
    const rules = Array.from({ length: 500 }, (_, at) =>
      rule("ioctl", errno(2 + (at % 90)), [{ index: 1, op: "eq", value: BigInt(at * 3) }]),
    );
    const filter = filterOf(profileOf(rules));
    expect(checkFilter(filter)).toEqual([]);
    const answer = (arg: number): number =>
      runFilter(filter, { number: 16, arch: auditArch.x86_64, args: [0n, BigInt(arg)] }).verdict;
    const expected = [0, 1, 250, 499].map((at) => 0x50000 + 2 + (at % 90));
    expect([0, 3, 750, 1497, 1498, 1500].map(answer)).toEqual([...expected, EPERM, EPERM]);
  });

  test("more than the kernel takes is refused", () => {
    expect(refusals(profileOf(manyRules(10, 300)))).toEqual([
      "the profile needs more than the 4096 instructions that the kernel takes",
    ]);
  });

  test("random decisions for random calls", () => {
    const random = randomSource(11);
    const names = [...syscallTable("aarch64").numbers.keys()].filter((name) => !start.names.includes(name));
    for (let round = 0; round < 30; round++) {
      const rules = names.filter(() => random(3) === 0).map((name) => rule(name, errno(random(4))));
      const profile = profileOf(rules, random(2) === 0 ? allow : errno(13));
      const filter = filterOf(profile, { arch: "aarch64" });
      for (let number = 0; number < 500; number++) {
        const { verdict } = runFilter(filter, { number, arch: auditArch.aarch64 });
        expect(verdict).toBe(expectedVerdict(profile, { arch: "aarch64" }, number, []));
      }
    }
  });
});
