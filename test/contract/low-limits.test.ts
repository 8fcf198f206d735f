/** A caller that has little: what is missing is said in words, with the limit's name, and never as a stack trace. */
import { describe, expect, test } from "bun:test";
import { RAUHA } from "../support/rauha.ts";

async function limited(limit: string, args: readonly string[]) {
  const child = Bun.spawn(["sh", "-c", `${limit} && exec "$0" "$@"`, RAUHA, ...args], {
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

describe("too low a limit", () => {
  test.each([
    ["of open files", "ulimit -n 64", "`ulimit -n`"],
    ["of file sizes", "ulimit -f 8", "`ulimit -f`"],
    ["of address space", "ulimit -v 1000000", "`ulimit -v`"],
  ])("%s is 125, and named", async (_what, limit, named) => {
    const { code, stderr } = await limited(limit, ["sandbox", "--no-json", "--", "true"]);
    expect([code, stderr]).toEqual([125, expect.stringMatching(/^rauha: [^\n]*\n$/)]);
    expect(stderr).toContain(named);
    expect(stderr).not.toMatch(/^\s+at |errno \d/m);
  });
});

test("what the words say will do does", async () => {
  const { code } = await limited("ulimit -n 128 && ulimit -v 4200000", ["sandbox", "--no-json", "--", "true"]);
  expect(code).toBe(0);
});
