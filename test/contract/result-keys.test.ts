/** A result is the same object in success and in every failure: nothing is missing, nothing is made up. */
import { describe, expect, test } from "bun:test";
import { resultSchema } from "../../src/run/result/schema.ts";
import { PROBE, probeBind } from "../support/probe.ts";
import { type Run, rauha, sandbox } from "../support/rauha.ts";

const always = Object.keys(resultSchema.shape).filter((key) => !key.endsWith("_base64"));

const kinds: readonly (readonly [string, () => Promise<Run>])[] = [
  ["success", () => sandbox([], ["true"])],
  ["failure", () => sandbox([], ["false"])],
  ["death by a signal", () => sandbox(probeBind, [PROBE, "die", "9"])],
  ["a time-out", () => sandbox(["--timeout", "200ms"], ["sleep", "60"])],
  ["a command that is not found", () => sandbox([], ["no-such-command-here"])],
  ["a zone that can't be set up", () => sandbox(["--ro-bind", "/no/such/path"], ["true"])],
  ["a usage error", () => sandbox(["--no-such-option"], ["true"])],
  ["an unknown policy", () => sandbox(["--policy", "no-such-policy"], ["true"])],
  ["an unsupported option", () => sandbox(["--image", "debian"], ["true"])],
];

describe("every key is there in", () => {
  test.each(kinds)("%s", async (_, run) => {
    const { stdout, exitCode, result } = await run();
    expect(Object.keys(JSON.parse(stdout))).toEqual(expect.arrayContaining(always));
    expect(stdout).toEndWith("}\n");
    expect(stdout.trimEnd()).not.toContain("\n");
    expect(exitCode).not.toBeNull();
    expect(result.error === null).toBe(result.status !== "runtime_error");
    expect(Date.parse(result.finished_at)).toBeGreaterThanOrEqual(Date.parse(result.started_at));
  });
});

describe("a result of a task that ran", () => {
  test("tells what was measured", async () => {
    const { result } = await sandbox([], ["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
    expect(result.usage.user_ms).toBeGreaterThan(20);
    expect(result.usage.system_ms).not.toBeNull();
    expect(result.usage.max_rss_bytes).toBeGreaterThan(500_000);
    expect(result.duration_ms).toBeGreaterThan(20);
    expect(result.duration_ms).toBeLessThan(30_000);
  });

  test("names the policy by a hash that is the same every time", async () => {
    const [first, second, other] = await Promise.all([
      sandbox([], ["true"]),
      sandbox([], ["true"]),
      sandbox(["--policy", "strict"], ["true"]),
    ]);
    expect(first?.result.policy).toMatchObject({ name: "task", hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
    expect(second?.result.policy).toEqual(first?.result.policy ?? null);
    expect(other?.result.policy?.hash).not.toBe(first?.result.policy?.hash);
  });

  test("has ids that are unique to the invocation", async () => {
    const runs = await Promise.all([1, 2, 3].map(() => sandbox([], ["true"])));
    expect(new Set(runs.map(({ result }) => result.task_id)).size).toBe(3);
    expect(new Set(runs.map(({ result }) => result.zone_id)).size).toBe(3);
  });

  test("keeps the command word by word", async () => {
    const command = ["printf", "%s|", "two words", "", "--", "-x", "a\nb", "ü"];
    const { result } = await sandbox([], command);
    expect(result.command).toEqual(command);
    expect(result.stdout).toBe("two words||--|-x|a\nb|ü|");
  });

  test("promises each thing once, and says how", async () => {
    const { result } = await sandbox([], ["true"]);
    const names = result.guarantees.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, state, mechanism } of result.guarantees) {
      if (state === "enforced") expect(mechanism, name).toMatch(/\w/);
      if (state === "not_requested") expect(mechanism, name).toBeNull();
    }
    expect(result.enforcement).toMatchObject({ mode: "enforcing", isolation: "zone", trust_level: "complete" });
  });
});

describe("a result of a task that did not run", () => {
  test("claims no enforcement and measures nothing", async () => {
    const { result } = await sandbox(["--ro-bind", "/no/such/path"], ["true"]);
    expect(result.enforcement).toMatchObject({
      mode: "unavailable",
      trust_level: "unavailable",
      lsm: [],
      seccomp: false,
    });
    expect(result.guarantees.filter(({ state }) => state === "enforced")).toEqual([]);
    expect(Object.values(result.usage).filter((value) => value !== null)).toEqual([]);
  });

  test("has an error with a stage, a kind and words", async () => {
    const { result } = await sandbox(["--ro-bind", "/no/such/path"], ["true"]);
    expect(result.error).toEqual({
      code: "not_found",
      stage: "mount",
      kind: "ENOENT",
      message: expect.stringMatching(/.{10}/),
      hint: expect.stringMatching(/.{10}/),
      origin: "--ro-bind #1",
    });
  });
});

test("`rauha schema result` describes exactly these keys", async () => {
  const { exitCode, stdout } = await rauha(["schema", "result"]);
  expect(exitCode).toBe(0);
  const schema = JSON.parse(stdout) as { required: string[]; properties: object };
  expect([...schema.required].sort()).toEqual([...always].sort());
  expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(resultSchema.shape).sort());
});
