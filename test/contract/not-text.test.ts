/** Arguments and variables that are no UTF-8: the task never gets others than were given without a word about it. */
import { describe, expect, test } from "bun:test";
import { callerEnvironment, parseResult, RAUHA } from "../support/rauha.ts";

/** Only a shell can write such bytes on a command line. */
async function byShell(script: string) {
  const child = Bun.spawn(["sh", "-c", script], {
    env: { ...callerEnvironment(), RAUHA },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout: Buffer.from(stdout), stderr };
}

const bad = "$(printf 'a\\377b')";

describe("an argument that is no UTF-8", () => {
  test.each([
    ["of the task", `-- printf %s "${bad}"`],
    ["of an option", `--repo-path "/tmp/${bad}" -- true`],
    ["of a variable", `-e "A=${bad}" -- true`],
    ["of an image", `--image "${bad}" -- true`],
  ])("%s is refused before anything is done", async (_what, words) => {
    const { exitCode, stdout, stderr } = await byShell(`exec "$RAUHA" sandbox ${words}`);
    expect(exitCode).toBe(2);
    const { error, status } = parseResult(stdout.toString(), stderr);
    expect(status).toBe("runtime_error");
    expect(error).toMatchObject({ stage: "request", hint: expect.any(String) });
    expect(stderr).toContain("is not UTF-8");
  });

  test("is not confused with one that has the replacement character in it", async () => {
    const { exitCode, stdout } = await byShell(`exec "$RAUHA" sandbox --no-json -- printf %s 'a\ufffdb é'`);
    expect(exitCode).toBe(0);
    expect(stdout.toString("utf8")).toBe("a\ufffdb é");
  });

  test("reaches the task by a pattern inside, byte for byte", async () => {
    const inside = `cd /tmp && : > "${bad}" && printf %s *b`;
    const { stdout } = await byShell(`exec "$RAUHA" sandbox --no-json -- sh -c '${inside.replaceAll("'", `'\\''`)}'`);
    expect(stdout.toString("hex")).toBe("61ff62");
  });
});

describe("a variable of the caller's that is no UTF-8", () => {
  test("is handed in with a warning", async () => {
    const { stderr } = await byShell(`X="${bad}" exec "$RAUHA" sandbox --no-json --env-pass X -- true`);
    expect(stderr).toContain("the value of X is not all UTF-8");
  });

  test("is no matter where it does not enter", async () => {
    const { stderr } = await byShell(`X="${bad}" exec "$RAUHA" sandbox --no-json -- true`);
    expect(stderr).not.toContain("UTF-8");
  });
});
