/** The least and the most that options and policy keys take are taken by the kernel as well: no zone fails for a number that was let in. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sandboxFlags } from "../../src/cli/flags/sandbox-table.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { sandbox } from "../support/rauha.ts";

interface Bounded {
  readonly kind: string;
  readonly min?: number;
  readonly max?: number;
}

/** Options with bounds; --result-fd is about the caller's descriptors. */
const bounded = Object.entries(sandboxFlags as Readonly<Record<string, Bounded>>).filter(
  ([name, { min, max }]) => name !== "result-fd" && (min !== undefined || max !== undefined),
);

/** The kernel may lack the controller, which is a refusal in words; it may kill the task, which is what little memory does. */
async function isTaken(flags: readonly string[]): Promise<void> {
  const { result } = await sandbox(flags, ["true"]);
  if (result.error !== null) expect([flags, result.error]).toMatchObject([flags, { code: "unenforceable" }]);
}

describe("an option's bounds", () => {
  test("are those of enough options", () => expect(bounded.length).toBeGreaterThan(6));

  test.each(bounded)("--%s: the least and the most run", async (name, { min, max }) => {
    if (min !== undefined) await isTaken([`--${name}`, String(min)]);
    if (max !== undefined) await isTaken([`--${name}`, String(max)]);
  });

  test.each(bounded)(
    "--%s: less than the least and more than the most are refused",
    async (name, { kind, min, max }) => {
      const step = kind === "decimal" ? 0.001 : 1;
      for (const number of [min === undefined ? -1 : min - step, max === undefined ? -1 : max + step]) {
        if (number < 0) continue;
        const { exitCode, result } = await sandbox([`--${name}`, String(number)], ["true"]);
        expect([name, number, exitCode, result.error?.origin]).toEqual([name, number, 2, `--${name}`]);
      }
    },
  );
});

describe("the least number of open files", () => {
  test.each([
    ["a view of many parts", ["--ro-bind", "/usr:/other/usr", "--tmpfs", "/s", "--symlink", "usr:/u", "--dir", "/d"]],
    ["a workspace", ["--repo-path", makeFolder("repo")]],
    ["a filtered network", ["--network", "filtered", "--allow-domain", "example.org"]],
    ["the caller's stdin", ["--interactive"]],
  ])("is enough for a zone with %s", async (_what, flags) => {
    const { result } = await sandbox(["--limit-nofile", "32", ...flags], ["sh", "-c", "ulimit -n"]);
    expect(result.error).toBeNull();
    expect(result.status).toBe("succeeded");
  });
});

describe("the least memory", () => {
  test.each([
    ["of the host's programs", []],
    ["with a workspace", ["--repo-path", makeFolder("repo")]],
    ["with a filtered network", ["--network", "filtered", "--allow-domain", "example.org"]],
  ])("is enough for a zone %s", async (_what, flags) => {
    const { result } = await sandbox(["--memory", "6Mi", ...flags], ["sh", "-c", "echo here"]);
    expect([result.error, result.stdout, result.cause]).toEqual([null, "here\n", "exit"]);
  });

  test("is the same on the command line and in a policy, and says so", async () => {
    const flag = await sandbox(["--memory", "1"], ["true"]);
    const file = writeFiles(makeFolder("policy"), { "p.toml": 'extends = "task"\n[resources]\nmemory_limit = 1\n' });
    const key = await sandbox(["--policy", join(file, "p.toml")], ["true"]);
    for (const { result } of [flag, key]) {
      expect(result.status).toBe("runtime_error");
      expect(result.error?.message).toContain("6Mi");
    }
    expect([flag.exitCode, flag.result.error?.origin]).toEqual([2, "--memory"]);
    expect(key.exitCode).toBe(125);
  });
});

describe("a policy's bounds", () => {
  const keys = [
    ["resources", "memory_limit", "6Mi", "8000Ti"],
    ["resources", "pids_max", 2, 4_194_304],
    ["resources", "cpu_shares", 2, 262_144],
    ["resources", "io_weight", 1, 10_000],
    ["limits", "walltime", "1ms", "10000d"],
    ["limits", "cpu", 1, 1_000_000],
    ["limits", "nofile", 32, 1_073_741_824],
    ["limits", "fsize", 0, "8Ti"],
    ["limits", "core", 0, "8Ti"],
    ["filesystem", "tmp_size", "1Mi", "8Ti"],
    ["filesystem", "tmp_inodes", 1024, 1 << 30],
  ] as const;

  test.each(keys)("%s.%s: the least and the most run", async (section, key, least, most) => {
    for (const number of [least, most]) {
      const text = `extends = "task"\n[${section}]\n${key} = ${JSON.stringify(number)}\n`;
      const file = join(writeFiles(makeFolder("policy"), { "p.toml": text }), "p.toml");
      await isTaken(["--policy", file]);
    }
  });
});
