import { describe, expect, test } from "bun:test";
import type { BackendEvent } from "../../../src/run/backend-event.ts";
import { endCause } from "../../../src/run/plan/contract.ts";
import { refusedResult } from "../../../src/run/result/project.ts";
import { resultSchema } from "../../../src/run/result/schema.ts";
import { delegatedFacts, planned, rootFacts } from "../plan/inputs.ts";
import { cleaned, ended, resultOf, started } from "./run.ts";

const plan = planned({ facts: delegatedFacts });
const indexOf = (name: string, file?: string) =>
  plan.ops.findIndex(({ op }) => op.op === name && (file === undefined || ("file" in op && op.file === file)));
const at = 1_800_000_000_000;
const output = (stream: number, bytes: Uint8Array): BackendEvent => ({ at, record: "output", stream, data: bytes });
const text = (value: string) => new TextEncoder().encode(value);
const run = (...events: BackendEvent[]) => resultOf(plan, [started, ...events, cleaned]);
const collected = (file: string, content: string): BackendEvent => ({
  at,
  record: "collected",
  op: indexOf("cgroup_collect", file),
  data: text(content),
});

describe("how it ended", () => {
  test("exit 0", () => {
    const { result, exitCode } = run(ended());
    expect(result).toMatchObject({ status: "succeeded", cause: "exit", exit_code: 0, signal: null, error: null });
    expect([exitCode, result.duration_ms, result.enforcement.trust_level]).toEqual([0, 42, "complete"]);
  });

  test.each([1, 3, 125, 127, 255])("the task's own exit code %d", (code) => {
    const { result, exitCode } = run(ended({ status: code << 8 }));
    expect(result).toMatchObject({ status: "failed", cause: "exit", exit_code: code, signal: null });
    expect(exitCode).toBe(code);
  });

  test.each([
    [15, "SIGTERM", "signal"],
    [11, "SIGSEGV", "signal"],
    [9, "SIGKILL", "signal"],
    [24, "SIGXCPU", "cpu_limit"],
    [25, "SIGXFSZ", "file_size_limit"],
  ] as const)("killed by signal %d", (number, name, cause) => {
    const { result, exitCode } = run(ended({ status: number }));
    expect(result).toMatchObject({ status: "failed", cause, exit_code: null, signal: name });
    expect(exitCode).toBe(128 + number);
  });

  test("a core dump flag in the wait status is not part of the signal", () => {
    expect(run(ended({ status: 0x80 | 6 })).result.signal).toBe("SIGABRT");
  });

  test("time-out is 124 however the task went", () => {
    for (const status of [0, 15, 9]) {
      const { result, exitCode } = run(ended({ status, cause: endCause.timeout }));
      expect(result).toMatchObject({ status: "timed_out", cause: "timeout" });
      expect(exitCode).toBe(124);
    }
  });

  test("cancelled: 128 and the signal that cancelled", () => {
    const cancel: BackendEvent = { at, record: "cancelled", signal: 2 };
    const { result, exitCode } = run(cancel, ended({ status: 9, cause: endCause.cancelled }));
    expect(result).toMatchObject({ status: "failed", cause: "cancelled", signal: "SIGKILL" });
    expect(exitCode).toBe(130);
  });

  test("SIGKILL at the cpu limit is the cpu limit's", () => {
    const limited = planned({ request: { limits: { cpuSeconds: 1 } } });
    const { result } = resultOf(limited, [started, ended({ status: 9, user_us: 1_500_000 }), cleaned]);
    expect(result.cause).toBe("cpu_limit");
  });
});

describe("out of memory is told from SIGKILL", () => {
  const killed = ended({ status: 9 });

  test("by the watcher", () => {
    expect(run(ended({ status: 9, cause: endCause.memory })).result.cause).toBe("oom");
  });

  test("by cgroup v2 memory.events", () => {
    expect(run(killed, collected("memory.events", "low 0\noom 1\noom_kill 1\n")).result.cause).toBe("oom");
    expect(run(killed, collected("memory.events", "low 0\noom 0\noom_kill 0\n")).result.cause).toBe("signal");
  });

  test("by cgroup v1 memory.oom_control, and a shell that exits 137 for its child", () => {
    const v1 = planned({ facts: rootFacts });
    const op = v1.ops.findIndex(({ op }) => op.op === "cgroup_collect" && op.file === "memory.oom_control");
    const control: BackendEvent = {
      at,
      record: "collected",
      op,
      data: text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
    };
    const { result } = resultOf(v1, [started, ended({ status: 137 << 8 }), control, cleaned]);
    expect(result).toMatchObject({ cause: "oom", exit_code: 137 });
    expect(result.events.map((event) => event["event.name"])).toContain("rauha.resource.oom.detected");
  });

  test("a task that survives a child's OOM kill ended by itself, and the event says what was", () => {
    const { result } = run(ended(), collected("memory.events", "oom_kill 1\n"));
    expect(result).toMatchObject({ status: "succeeded", cause: "exit" });
    expect(result.events.map((event) => event["event.name"])).toContain("rauha.resource.oom.detected");
  });
});

describe("nothing ran", () => {
  const failed = (op: number, errno: number, step = "openat2"): BackendEvent => ({
    at,
    record: "failed",
    stage: 4,
    op,
    errno,
    step,
    detail: "",
  });

  test("a failed op points home to what asked for it", () => {
    const origin = { kind: "flag", flag: "--ro-bind", index: 2 } as const;
    const view = [{ kind: "ro-bind", source: "/nope", target: "/nope", origin } as const];
    const bound = planned({ request: { view } });
    const op = bound.ops.findIndex((entry) => entry.origin === origin);
    const { result, exitCode } = resultOf(bound, [failed(op, 2), cleaned]);
    expect(result).toMatchObject({ status: "runtime_error", cause: "setup", exit_code: null });
    expect(result.error).toMatchObject({ code: "not_found", stage: "mount", kind: "ENOENT", origin: "--ro-bind #2" });
    expect(result.error?.message).toContain("/nope");
    expect(exitCode).toBe(125);
  });

  test("no promise is reported as kept", () => {
    const { result } = resultOf(plan, [failed(3, 1), cleaned]);
    expect(result.guarantees.filter(({ state }) => state === "enforced")).toEqual([]);
    expect(result.enforcement).toMatchObject({ mode: "unavailable", trust_level: "unavailable" });
  });

  test.each([
    [2, 127, "command_not_found"],
    [20, 127, "command_not_found"],
    [13, 126, "not_executable"],
    [8, 126, "not_executable"],
  ] as const)("exec errno %d exits %d", (errno, code, name) => {
    const { result, exitCode } = resultOf(plan, [failed(plan.ops.length - 1, errno, "execve"), cleaned]);
    expect(exitCode).toBe(code);
    expect(result.error?.code).toBe(name);
    expect(result.status).toBe("runtime_error");
  });

  test("a launcher that is lost is an internal error, and trust is partial if the task had started", () => {
    const lost: BackendEvent = { at, record: "lost", detail: "wait status 9" };
    expect(resultOf(plan, [lost]).result.error?.code).toBe("internal");
    expect(resultOf(plan, [started, lost]).result.enforcement.trust_level).toBe("partial");
  });

  test("a refused request has the same shape", () => {
    const refusal = { taskId: "task_1", zoneId: "zone_1", command: ["x"], policy: null, at: 0, stage: "plan" };
    const result = refusedResult(refusal, [
      { code: "unsupported", message: "one" },
      { code: "unenforceable", message: "two" },
    ]);
    expect(resultSchema.parse(result).error).toMatchObject({ code: "unsupported", stage: "plan" });
    expect(result.error?.message).toContain("two");
  });
});

describe("streams", () => {
  test("text in pieces, a character across two", () => {
    const bytes = text("grüße");
    const { result } = run(output(1, bytes.subarray(0, 3)), output(1, bytes.subarray(3)), ended({ stdout_bytes: 7 }));
    expect(result).toMatchObject({ stdout: "grüße", stdout_bytes: 7, stdout_truncated: false });
    expect(result.stdout_base64).toBeUndefined();
  });

  test("what is not UTF-8 is carried losslessly", () => {
    const bytes = new Uint8Array([0x61, 0xff, 0x00, 0xc3]);
    const { result } = run(output(2, bytes), ended({ stderr_bytes: 4 }));
    expect(Uint8Array.fromBase64(result.stderr_base64 ?? "")).toEqual(bytes);
    expect(result.stderr).toBe("a\ufffd\0\ufffd");
  });

  test("a byte order mark stays", () => {
    const { result } = run(output(1, new Uint8Array([0xef, 0xbb, 0xbf, 0x41])), ended({ stdout_bytes: 4 }));
    expect(result.stdout).toBe("\ufeffA");
  });

  test("truncated output says so; a character cut by the cap is not an encoding error", () => {
    const { result } = run(output(1, text("grü").subarray(0, 3)), ended({ stdout_bytes: 1000 }));
    expect(result).toMatchObject({ stdout: "gr", stdout_bytes: 1000, stdout_truncated: true });
    expect(result.stdout_base64).toBeUndefined();
  });

  test("a stream of the caller's own is null, not empty", () => {
    const streaming = planned({ request: { io: { mode: "stream", stdin: true, maxOutputBytes: 1 } } });
    const { result } = resultOf(streaming, [started, ended(), cleaned]);
    expect(result).toMatchObject({ stdout: null, stdout_bytes: null, stderr: null, stdout_truncated: false });
  });
});

describe("usage", () => {
  test("from the cgroup where there is one, null for what was not measured", () => {
    const { result } = run(
      ended(),
      collected("memory.peak", "123456\n"),
      collected("pids.peak", "5\n"),
      collected("io.stat", "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n"),
    );
    expect(result.usage).toEqual({
      user_ms: 3,
      system_ms: 1,
      max_rss_bytes: 4096,
      memory_peak_bytes: 123456,
      pids_peak: 4,
      io_read_bytes: 11,
      io_write_bytes: 22,
    });
    const { usage } = resultOf(planned({}), [started, ended(), cleaned]).result;
    expect(usage).toMatchObject({ memory_peak_bytes: null, pids_peak: null, io_read_bytes: null });
  });
});

describe("promises and events", () => {
  test("a promise whose op was skipped is taken back", () => {
    const op = indexOf("cgroup_set", "memory.max");
    const { result } = run({ at, record: "skipped", op, errno: 2, step: "open" }, ended());
    expect(result.guarantees.find(({ name }) => name === "memory_limit")?.state).toBe("unavailable");
    expect(result.events.some((event) => event["event.outcome"] === "degraded")).toBe(true);
  });

  test("events come in order, share the task's id and carry no argv", () => {
    const secret = planned({ request: { command: ["echo", "hunter2"] } });
    const { result } = resultOf(secret, [started, ended(), cleaned]);
    expect(result.events.map((event) => event["event.name"])).toEqual([
      "rauha.zone.create.started",
      "rauha.zone.create.succeeded",
      "rauha.policy.apply.succeeded",
      "rauha.sandbox.command.started",
      "rauha.sandbox.command.exited",
      "rauha.sandbox.cleanup.succeeded",
    ]);
    expect(new Set(result.events.map((event) => event.correlation_id))).toEqual(new Set([result.task_id]));
    expect(JSON.stringify(result.events)).not.toContain("hunter2");
  });

  test("a failed clean-up is an error, not a silence", () => {
    const left: BackendEvent = { at, record: "cleaned", errno: 16, detail: "rmdir /sys/fs/cgroup/x" };
    const { result } = resultOf(plan, [started, ended(), left]);
    expect(result.error).toMatchObject({ stage: "cleanup", kind: "EBUSY" });
    expect(result.events.at(-1)?.["event.name"]).toBe("rauha.sandbox.cleanup.failed");
  });
});
