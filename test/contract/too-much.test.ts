/** More than a zone takes: refused in words, with the flag that is one too many, and with nothing left; never as an error of Rauha's own. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { makeFolder } from "../support/folders.ts";
import { sandbox } from "../support/rauha.ts";

const many = (count: number, flag: string, value: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => [flag, value(index)]).flat();

describe("more than a zone takes", () => {
  test("of mounts: the first that is too many is named, and no layer is left", async () => {
    const [repo, state] = [makeFolder("repo"), makeFolder("state")];
    const flags = ["--repo-path", repo, ...many(4200, "--tmpfs", (index) => `/x/${index}`)];
    const { exitCode, result, stderr } = await sandbox(flags, ["true"], { env: { XDG_STATE_HOME: state } });
    expect(exitCode).toBe(125);
    expect(result).toMatchObject({ status: "runtime_error", cause: "setup", command: ["true"] });
    expect(result.error).toMatchObject({
      code: "setup_failed",
      stage: "decode",
      kind: "E2BIG",
      origin: expect.stringMatching(/^--tmpfs #4\d\d\d$/),
      message: expect.stringContaining("too many ops"),
      hint: expect.stringContaining("4096"),
    });
    expect(stderr).not.toContain("internal error");
    expect(readdirSync(state, { recursive: true }).filter((name) => String(name).includes("task_"))).toEqual([]);
  });

  test("as many as there may be are made", async () => {
    const { result } = await sandbox(
      many(1000, "--dir", (index) => `/x/${index}`),
      ["sh", "-c", "ls /x | wc -l"],
    );
    expect(result.stdout).toBe("1000\n");
  });

  const long = "b".repeat(4096);
  test.each([
    ["--workdir", `/${long}`],
    ["--repo-path", `/${long}`],
    ["--ro-bind", `/usr:/${long}`],
    ["--rw-bind", `/${long}`],
    ["--tmpfs", `/${long}`],
    ["--dir", `/${long}`],
    ["--symlink", `${long}:/link`],
    ["--symlink", `usr:/${long}`],
    // Each of these is one unit of a string and three bytes of a path.
    ["--dir", `/${"字".repeat(1366)}`],
  ])("%s with a path that the kernel would not take", async (flag, value) => {
    const { exitCode, result } = await sandbox([flag, value], ["true"]);
    expect(exitCode).toBe(2);
    expect(result.error).toMatchObject({
      code: "invalid_argument",
      origin: expect.stringContaining(flag),
      message: expect.stringContaining("longer than the 4095 bytes"),
    });
  });

  test("the longest path there can be is none too many", async () => {
    // Of directories, since each name has 255 bytes at the most.
    const path = `/${["tmp", ...Array.from({ length: 15 }, () => "c".repeat(255))].join("/")}`;
    const { result } = await sandbox(["--dir", path], ["sh", "-c", `cd ${path} && pwd | wc -c`]);
    expect(result.stdout).toBe(`${path.length + 1}\n`);
  });
});
