/** What `rauha sandbox` exits with, and the `status` that tells a task's own 125 from Rauha's. SPEC section 1. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { PROBE, probeBind } from "../support/probe.ts";
import { rauha, sandbox } from "../support/rauha.ts";

describe("the task's own exit code", () => {
  test.each([0, 1, 2, 42, 124, 125, 126, 127, 128, 200, 255])("%i is passed on", async (code) => {
    const { exitCode, result } = await sandbox([], ["sh", "-c", `exit ${code}`]);
    expect(exitCode).toBe(code);
    expect(result).toMatchObject({
      status: code === 0 ? "succeeded" : "failed",
      cause: "exit",
      exit_code: code,
      signal: null,
      error: null,
    });
  });
});

describe("a signal", () => {
  test.each([
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGABRT", 6],
    ["SIGKILL", 9],
    ["SIGSEGV", 11],
    ["SIGPIPE", 13],
    ["SIGTERM", 15],
  ])("%s becomes 128 and its number", async (name, number) => {
    const { exitCode, result } = await sandbox(probeBind, [PROBE, "die", String(number)]);
    expect(exitCode).toBe(128 + number);
    expect(result).toMatchObject({ status: "failed", cause: "signal", exit_code: null, signal: name, error: null });
  });

  test("that kills a child of the task's shell is the shell's exit code", async () => {
    const { exitCode, result } = await sandbox([], ["sh", "-c", "sh -c 'kill -9 $$'; exit 7"]);
    expect({ exitCode, cause: result.cause }).toEqual({ exitCode: 7, cause: "exit" });
  });
});

describe("a command that can't run", () => {
  const folder = writeFiles(makeFolder("commands"), {
    "data.txt": "no program\n",
    "no-interpreter": "#!/nonexistent/interpreter\n",
    "sub/": "",
  });
  const inFolder = ["--ro-bind", folder];

  test("127: not found in PATH", async () => {
    const { exitCode, result } = await sandbox([], ["no-such-command-here"]);
    expect(exitCode).toBe(127);
    expect(result).toMatchObject({ status: "runtime_error", exit_code: null, error: { code: "command_not_found" } });
    expect(result.error?.message).toContain("no-such-command-here");
  });

  test("127: no such path", async () => {
    const { exitCode, result } = await sandbox([], ["/usr/bin/no-such-command-here"]);
    expect({ exitCode, code: result.error?.code }).toEqual({ exitCode: 127, code: "command_not_found" });
  });

  test("126: not executable", async () => {
    const { exitCode, result } = await sandbox(inFolder, [join(folder, "data.txt")]);
    expect(exitCode).toBe(126);
    expect(result).toMatchObject({ status: "runtime_error", exit_code: null, error: { code: "not_executable" } });
  });

  test("126: a directory", async () => {
    const { exitCode, result } = await sandbox(inFolder, [join(folder, "sub")]);
    expect({ exitCode, code: result.error?.code }).toEqual({ exitCode: 126, code: "not_executable" });
  });

  test("127: its interpreter is missing, as for a shell", async () => {
    const { exitCode } = await sandbox(inFolder, [join(folder, "no-interpreter")]);
    expect(exitCode).toBe(127);
  });

  test("126: a program for another machine, or none at all", async () => {
    const broken = writeFiles(makeFolder("broken"), { program: "#!" });
    const { exitCode, result } = await sandbox(["--ro-bind", broken], [join(broken, "program")]);
    expect({ exitCode, code: result.error?.code }).toEqual({ exitCode: 126, code: "not_executable" });
  });

  test("a program of the host's that the zone does not see is not found", async () => {
    const script = join(writeFiles(makeFolder("hidden"), { tool: "#!/bin/sh\necho hidden\n" }), "tool");
    const { exitCode } = await sandbox([], [script]);
    expect(exitCode).toBe(127);
  });
});

describe("124: the wall clock", () => {
  test("ends a task that sleeps", async () => {
    const { exitCode, result } = await sandbox(["--timeout", "300ms"], ["sleep", "60"]);
    expect(exitCode).toBe(124);
    expect(result).toMatchObject({ status: "timed_out", cause: "timeout", error: null });
    expect(result.duration_ms).toBeGreaterThanOrEqual(300);
    expect(result.duration_ms).toBeLessThan(patient(10_000));
  });

  test("even if the task catches SIGTERM and exits with 0", async () => {
    const script = 'trap "exit 0" TERM; sleep 60 & wait';
    const { exitCode, result } = await sandbox(["--timeout", `${patient(500)}ms`], ["sh", "-c", script]);
    expect(exitCode).toBe(124);
    expect(result).toMatchObject({ status: "timed_out", cause: "timeout", exit_code: 0 });
  });

  test("of 0 waits for ever", async () => {
    const { exitCode } = await sandbox(["--timeout", "0"], ["sleep", "0.1"]);
    expect(exitCode).toBe(0);
  });
});

describe("125: Rauha itself could not set the zone up", () => {
  test("a bind whose source is missing", async () => {
    const { exitCode, result } = await sandbox(["--ro-bind", "/no/such/path"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result).toMatchObject({ status: "runtime_error", cause: "setup", exit_code: null, signal: null });
    expect(result.error).toMatchObject({ code: "not_found", origin: expect.stringContaining("--ro-bind") });
    expect(result.error?.message).toContain("/no/such/path");
  });

  test("a workspace that is not there", async () => {
    const { exitCode, result } = await sandbox(["--repo-path", "/no/such/repo", "--repo-mode", "ro"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result.error?.origin).toContain("--repo-path");
  });

  test("a start directory that is not there", async () => {
    const { exitCode, result } = await sandbox(["--workdir", "/nowhere"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result.error?.origin).toContain("--workdir");
  });

  test("a policy file that is not there", async () => {
    const { exitCode, result } = await sandbox(["--policy", "./missing.toml"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result).toMatchObject({ status: "runtime_error", error: { code: "not_found" } });
  });
});

describe("2: the command line", () => {
  test.each([
    [["sandbox"]],
    [["sandbox", "--"]],
    [["sandbox", "--no-such-option", "--", "true"]],
    [["sandbox", "--timeout", "--", "true"]],
    [["sandbox", "--timeout", "soon", "--", "true"]],
    [["no-such-command"]],
  ])("%p is refused", async (args) => {
    const { exitCode, stderr } = await rauha(args);
    expect(exitCode).toBe(2);
    expect(stderr).toStartWith("rauha: ");
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+/);
  });

  test("nothing was run", async () => {
    const folder = makeFolder("untouched");
    const flags = ["--repo-path", folder, "--repo-mode", "rw", "--no-such-option"];
    const { exitCode } = await sandbox(flags, ["touch", `${folder}/trace`]);
    expect(exitCode).toBe(2);
    expect(await Bun.file(`${folder}/trace`).exists()).toBe(false);
  });
});
