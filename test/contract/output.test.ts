/** The task's output: whole, bounded, lossless, and never the reason why a result does not come. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { patient } from "../support/identity.ts";
import { PROBE, probeBind } from "../support/probe.ts";
import { sandbox, start } from "../support/rauha.ts";

describe("captured output", () => {
  test("keeps the two streams apart", async () => {
    const { result } = await sandbox([], ["sh", "-c", "echo out; echo err >&2; echo out again"]);
    expect(result).toMatchObject({ stdout: "out\nout again\n", stderr: "err\n", stdout_bytes: 14, stderr_bytes: 4 });
  });

  test("is empty when there is none, not missing", async () => {
    const { result } = await sandbox([], ["true"]);
    expect(result).toMatchObject({ stdout: "", stdout_bytes: 0, stdout_truncated: false, stderr: "", stderr_bytes: 0 });
  });

  test("that is UTF-8 is text, whatever is in it", async () => {
    const text = "Räuhä ✓ 😀 \u2028 \u0000 \u001b[31m \r\n";
    const hex = Buffer.from(text).toString("hex");
    const { result, stdout } = await sandbox(probeBind, [PROBE, "bytes", hex]);
    expect(result.stdout).toBe(text);
    expect(result.stdout_base64).toBeUndefined();
    expect(stdout).not.toContain("\u001b");
  });

  test("that is not UTF-8 is carried losslessly", async () => {
    const bytes = Buffer.from([...Array(256).keys()]);
    const { result } = await sandbox(probeBind, [PROBE, "bytes", bytes.toString("hex")]);
    expect(Buffer.from(result.stdout_base64 ?? "", "base64")).toEqual(bytes);
    expect(result.stdout).toContain("\ufffd");
    expect(result.stdout_bytes).toBe(256);
    expect(result.stderr_base64).toBeUndefined();
  });

  test("begins with a byte order mark if the task wrote one", async () => {
    const { result } = await sandbox(probeBind, [PROBE, "bytes", "efbbbf61"]);
    expect(result.stdout).toBe("\ufeffa");
  });

  test("of a task that fails or is killed is kept", async () => {
    const { result } = await sandbox([], ["sh", "-c", "echo last words; kill -9 $$"]);
    expect(result).toMatchObject({ stdout: "last words\n", signal: "SIGKILL" });
  });

  test("of a task that runs out of time is kept", async () => {
    const { result } = await sandbox(["--timeout", `${patient(500)}ms`], ["sh", "-c", "echo before; sleep 60"]);
    expect(result).toMatchObject({ stdout: "before\n", status: "timed_out" });
  });
});

describe("--max-output", () => {
  test("cuts each stream by itself, counts the rest and says so", async () => {
    const script = "head -c 1000 /dev/zero | tr '\\0' a; head -c 50 /dev/zero | tr '\\0' b >&2";
    const { exitCode, result } = await sandbox(["--max-output", "100"], ["sh", "-c", script]);
    expect(exitCode).toBe(0);
    expect(result).toMatchObject({
      stdout: "a".repeat(100),
      stdout_bytes: 1000,
      stdout_truncated: true,
      stderr: "b".repeat(50),
      stderr_bytes: 50,
      stderr_truncated: false,
    });
  });

  test("that is met exactly cuts nothing", async () => {
    const { result } = await sandbox(["--max-output", "3"], ["printf", "abc"]);
    expect(result).toMatchObject({ stdout: "abc", stdout_bytes: 3, stdout_truncated: false });
  });

  test("of 0 keeps nothing", async () => {
    const { result } = await sandbox(["--max-output", "0"], ["printf", "abc"]);
    expect(result).toMatchObject({ stdout: "", stdout_bytes: 3, stdout_truncated: true });
  });

  test("that falls inside a character leaves the character out, not the encoding", async () => {
    const { result } = await sandbox(["--max-output", "4"], ["printf", "aaa✓"]);
    expect(result).toMatchObject({ stdout: "aaa", stdout_bytes: 6, stdout_truncated: true });
    expect(result.stdout_base64).toBeUndefined();
  });

  test("is 8 MiB unless said otherwise", async () => {
    const { result } = await sandbox(probeBind, [PROBE, "yes", "9M"]);
    expect(result.stdout?.length).toBe(8 << 20);
    expect(result.stdout_truncated).toBe(true);
    expect(result.stdout_bytes ?? 0).toBeGreaterThanOrEqual(9 << 20);
  });
});

describe("a flood of output", () => {
  test(
    "of 100 MB takes no memory to speak of",
    async () => {
      const child = start(["sandbox", ...probeBind, "--max-output", "65536", "--", PROBE, "yes", "100000000"]);
      let peak = 0;
      const watch = setInterval(() => {
        peak = Math.max(peak, residentBytes(child.pid));
      }, 20);
      const text = await child.stdout.text();
      clearInterval(watch);
      const result = JSON.parse(text) as { stdout_bytes: number; status: string };
      expect(result.status).toBe("succeeded");
      expect(result.stdout_bytes).toBeGreaterThanOrEqual(100_000_000);
      expect(peak).toBeGreaterThan(0);
      expect(peak).toBeLessThan(160 << 20);
    },
    patient(60_000),
  );

  test("that never ends is ended by the clock", async () => {
    const { exitCode, result } = await sandbox(["--timeout", `${patient(1000)}ms`, "--max-output", "1Ki"], ["yes"]);
    expect(exitCode).toBe(124);
    expect(result.stdout).toBe("y\n".repeat(512));
    expect(result.stdout_bytes ?? 0).toBeGreaterThan(1_000_000);
  });

  test("to both streams at once does not block", async () => {
    const script = "head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait";
    const { exitCode, result } = await sandbox([], ["sh", "-c", script]);
    expect(exitCode).toBe(0);
    expect(result).toMatchObject({ stdout_bytes: 3_000_000, stderr_bytes: 3_000_000 });
  });

  test("that nobody reads leaves nothing behind: the reader goes away", async () => {
    const child = start(["sandbox", "--stream", "--", "yes"]);
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    await child.exited;
    expect(child.exitCode ?? child.signalCode).toBeOneOf([141, 128 + 13, "SIGPIPE", 125, 1]);
  });

  test("on a terminal of the zone's own that nobody reads interrupts the task, as ^C would", async () => {
    const child = start(["sandbox", "-t", "--no-json", "--", "yes"]);
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    expect(await child.exited).toBe(128 + 2);
  });

  test("that nobody reads any more ends a task without --stream as well, even one that ignores SIGPIPE", async () => {
    for (const task of ["yes", "trap '' PIPE; while echo y; do sleep 0.01; done"]) {
      const child = start(["sandbox", "--no-json", "--", "sh", "-c", task]);
      const reader = child.stdout.getReader();
      await reader.read();
      await reader.cancel();
      expect(await child.exited, task).toBe(141);
      expect(await child.stderr.text(), task).toContain("cancelled");
    }
  }, 30_000);
});

function residentBytes(pid: number): number {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
