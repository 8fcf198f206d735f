/** The task's stdin: what the caller gives it, all of it, and nothing that was meant for someone else. */
import { describe, expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { PROBE, parseAnswers, probeBind } from "../support/probe.ts";
import { callerEnvironment, RAUHA, sandbox, start } from "../support/rauha.ts";

/** Runs a shell script in which $0 is rauha. */
async function shell(
  script: string,
  stdin: "ignore" | Blob = "ignore",
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = Bun.spawn(["sh", "-c", script, RAUHA], {
    cwd: "/",
    env: callerEnvironment(),
    stdio: [stdin, "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

describe("a pipe", () => {
  test("is read by the task", async () => {
    const { result } = await sandbox(["-i"], ["cat"], { stdin: new Blob(["one\ntwo\n"]) });
    expect(result.stdout).toBe("one\ntwo\n");
  });

  test("reaches it byte for byte, however much", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const whole = Buffer.concat(Array(50).fill(bytes));
    const { result } = await sandbox(["-i"], ["sha256sum"], { stdin: new Blob([whole]) });
    expect(result.stdout).toStartWith(new Bun.CryptoHasher("sha256").update(whole).digest("hex"));
  });

  test("that the task does not read does not hold it up", async () => {
    const { exitCode } = await sandbox(["-i"], ["true"], { stdin: new Blob(["x".repeat(1 << 20)]) });
    expect(exitCode).toBe(0);
  });

  test("that nobody closes does not keep a task from ending", async () => {
    const child = start(["sandbox", "--json", "--", "echo", "done"], { stdin: "pipe" });
    expect(await child.stdout.text()).toContain('"stdout":"done\\n"');
    expect(await child.exited).toBe(0);
  });

  test("is read a line at a time by whom it belongs to: two commands after each other", async () => {
    const { stdout } = await shell(
      'printf "a\\nb\\n" | { "$0" sandbox --stream -- sh -c "read x; echo got \\$x"; cat; }',
    );
    expect(stdout).toStartWith("got a\n");
  });
});

describe("a file", () => {
  const file = join(makeFolder("stdin"), "input");
  writeFileSync(file, "first\nsecond\nthird\n");

  test("is read by the task", async () => {
    const fd = openSync(file, "r");
    const { result } = await sandbox(["-i"], ["cat"], { stdin: fd });
    closeSync(fd);
    expect(result.stdout).toBe("first\nsecond\nthird\n");
  });

  test("is not robbed: `while read` around rauha sees every line", async () => {
    const script = `while read -r line; do "$0" sandbox --no-json -- echo "$line" 2>/dev/null </dev/null; done <${file}`;
    expect((await shell(script)).stdout).toBe("first\nsecond\nthird\n");
  });

  test("is not robbed either when rauha inherits it and the task reads nothing", async () => {
    const script = `while read -r line; do "$0" sandbox --no-json -- echo "$line" 2>/dev/null; done <${file}`;
    expect((await shell(script)).stdout).toBe("first\nsecond\nthird\n");
  });

  test("is left where the task stopped reading", async () => {
    const script = `{ "$0" sandbox --stream -- head -c 6 2>/dev/null; cat; } <${file}`;
    expect((await shell(script)).stdout).toBe("first\nsecond\nthird\n");
  });
});

describe("nothing", () => {
  test("from /dev/null is the end of input", async () => {
    const { result } = await sandbox(probeBind, [PROBE, "stdin"]);
    expect(parseAnswers(result.stdout ?? "")).toMatchObject([{ outcome: "OK", items: ["0", ""] }]);
  });

  test("from a closed descriptor does not let another file take its place", async () => {
    const { stdout, code } = await shell('"$0" sandbox --json -- wc -c <&-');
    expect(code).toBeOneOf([0, 125]);
    if (code === 0) expect(JSON.parse(stdout)).toMatchObject({ stdout: "0\n" });
    else expect(JSON.parse(stdout)).toMatchObject({ status: "runtime_error" });
  });
});
