import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { parseTable } from "../../../scripts/generate/seccomp.ts";
import type { Arch } from "../../../src/run/seccomp/profile.ts";
import { foreignSyscalls, nativeSyscalls, syscallName, syscallTable } from "../../../src/run/seccomp/syscalls.ts";

const rows = parseTable(readFileSync("policies/seccomp/syscalls.tsv", "utf8"));

describe("the table of system calls", () => {
  test.each(["x86_64", "aarch64"] as const)("%s: what was packed is what the table says", (arch) => {
    const expected = new Map(rows.flatMap((row) => (row[arch] === null ? [] : [[row.name, row[arch]] as const])));
    const { numbers, names, newest } = syscallTable(arch);
    expect(new Map([...numbers].sort())).toEqual(new Map([...expected].sort()));
    expect(newest).toBe(Math.max(...expected.values()));
    for (const [name, number] of numbers) expect(names.get(number)).toBe(name);
  });

  test("spot checks against the manual", () => {
    const [x86, arm] = [syscallTable("x86_64").numbers, syscallTable("aarch64").numbers];
    expect(["read", "execve", "openat", "clone3", "file_setattr"].map((name) => x86.get(name))).toEqual([
      0, 59, 257, 435, 469,
    ]);
    expect(
      ["io_setup", "openat", "read", "clone", "execve", "clone3", "file_setattr"].map((name) => arm.get(name)),
    ).toEqual([0, 56, 63, 220, 221, 435, 469]);
    expect([arm.get("open"), arm.get("fork"), arm.get("stat")]).toEqual([undefined, undefined, undefined]);
  });

  test("since Linux 5.1 both architectures number alike", () => {
    const { numbers } = syscallTable("x86_64");
    for (const [name, number] of syscallTable("aarch64").numbers) {
      if (number >= 424) expect([name, numbers.get(name)]).toEqual([name, number]);
    }
  });

  test("names are unique, and foreign ones are nobody's here", () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(nativeSyscalls().isDisjointFrom(foreignSyscalls())).toBe(true);
    expect(foreignSyscalls().has("socketcall")).toBe(true);
  });

  test("a number without a name still has one to show", () => {
    expect([syscallName("x86_64", 59), syscallName("aarch64", 59), syscallName("x86_64", 9999)]).toEqual([
      "execve",
      "pipe2",
      "syscall_9999",
    ]);
  });

  test("a malformed table is refused with its line", () => {
    expect(() => parseTable("# comment\nread\t0\t63\n")).toThrow("syscalls.tsv:2");
  });
});

/** The headers that this machine has; arm64 uses the numbers of the generic one. */
const headers: Readonly<Record<Arch, readonly string[]>> = {
  x86_64: ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"],
  aarch64: ["/usr/include/asm-generic/unistd.h"],
};

describe("the headers of this machine agree", () => {
  // The generic header is everywhere, x86-64's only there.
  const here = process.arch === "x64" ? (["x86_64", "aarch64"] as const) : (["aarch64"] as const);
  for (const arch of here) {
    const path = headers[arch].find((one) => existsSync(one));
    test.skipIf(path === undefined)(`with the table of ${arch}`, () => {
      const { numbers, newest } = syscallTable(arch);
      const defined = headerNumbers(readFileSync(path ?? "", "utf8")).filter(([, number]) => number <= newest);
      expect(defined.length).toBeGreaterThan(290);
      expect(defined.filter(([name, number]) => numbers.get(name) !== number)).toEqual([]);
    });
  }
});

/** Names and numbers for 64-bit programs: no variants of other processors, not the block of calls with 64-bit time that 32-bit ones have. */
function headerNumbers(text: string): [string, number][] {
  const numeric = (pattern: RegExp): [string, number][] =>
    [...text.matchAll(pattern)].map(([, name = "", number]) => [name, Number(number)]);
  const plain = numeric(/#define __NR_(\w+)\s+(\d+)/g).filter(
    ([name]) => !/^(syscalls|arch_specific_syscall|sync_file_range2)$/.test(name),
  );
  if (!text.includes("__NR3264_")) return plain;
  const wide = new Map(numeric(/#define __NR3264_(\w+)\s+(\d+)/g));
  const aliases =
    text.slice(text.indexOf("#if __BITS_PER_LONG == 64 &&")).split("#else\n#define __NR_fcntl64")[0] ?? "";
  return [
    ...plain.filter(([, number]) => number < 403 || number > 423),
    ...[...aliases.matchAll(/#define __NR_(\w+) __NR3264_(\w+)/g)].flatMap(
      ([, name = "", of = ""]): [string, number][] => {
        const number = wide.get(of);
        return number === undefined ? [] : [[name, number]];
      },
    ),
  ];
}
