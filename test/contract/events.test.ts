/** The events of a result: names and order are a contract, and nothing secret is in them. */
import { describe, expect, test } from "bun:test";
import { sandbox } from "../support/rauha.ts";

const names = (events: readonly Record<string, unknown>[]) => events.map((event) => event["event.name"]);

describe("a run that succeeds", () => {
  test("tells its life in order", async () => {
    const { result } = await sandbox([], ["true"]);
    expect(names(result.events).filter((name) => !String(name).includes("degraded"))).toEqual([
      "rauha.zone.create.started",
      "rauha.zone.create.succeeded",
      "rauha.policy.apply.succeeded",
      "rauha.sandbox.command.started",
      "rauha.sandbox.command.exited",
      "rauha.sandbox.cleanup.succeeded",
    ]);
  });

  test("ties every event to the invocation", async () => {
    const { result } = await sandbox([], ["true"]);
    for (const event of result.events) {
      expect(event).toMatchObject({
        "event.version": 1,
        task_id: result.task_id,
        zone_id: result.zone_id,
        correlation_id: result.task_id,
        policy_name: "task",
        policy_hash: result.policy?.hash ?? "",
        "backend.name": "linux",
        "backend.platform": "linux",
      });
    }
  });

  test("is in the order of time", async () => {
    const { result } = await sandbox([], ["sleep", "0.05"]);
    const times = result.events.map(({ timestamp }) => Date.parse(timestamp));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0] ?? 0).toBeGreaterThanOrEqual(Date.parse(result.started_at));
    expect(times.at(-1) ?? 0).toBeLessThanOrEqual(Date.parse(result.finished_at));
  });

  test("says how long creation and command took", async () => {
    const { result } = await sandbox([], ["sleep", "0.1"]);
    const exited = result.events.find((event) => event["event.name"] === "rauha.sandbox.command.exited");
    // Counted from when the start was noticed, which on a busy machine is some time after it.
    expect(exited?.duration_ms).toBeGreaterThanOrEqual(50);
    expect(exited).toMatchObject({ "event.outcome": "succeeded", "event.kind": "execution" });
  });
});

describe("a run that does not succeed", () => {
  test("exited and failed", async () => {
    const { result } = await sandbox([], ["false"]);
    expect(result.events).toContainEqual(
      expect.objectContaining({ "event.name": "rauha.sandbox.command.exited", "event.outcome": "failed" }),
    );
  });

  test("timed out", async () => {
    const { result } = await sandbox(["--timeout", "200ms"], ["sleep", "60"]);
    expect(result.events).toContainEqual(
      expect.objectContaining({ "event.name": "rauha.sandbox.command.timed_out", "event.outcome": "timed_out" }),
    );
    expect(names(result.events).at(-1)).toBe("rauha.sandbox.cleanup.succeeded");
  });

  test("could not be created", async () => {
    const { result } = await sandbox(["--ro-bind", "/no/such/path"], ["true"]);
    expect(names(result.events).slice(0, 2)).toEqual(["rauha.zone.create.started", "rauha.zone.create.failed"]);
    expect(result.events[1]).toMatchObject({ "error.code": "not_found", "error.kind": "ENOENT", level: "error" });
    expect(names(result.events)).not.toContain("rauha.sandbox.command.started");
  });
});

test("events carry no argument, no variable and no output", async () => {
  const secrets = ["secret-argument-4711", "secret-variable-4711", "secret-output-4711"];
  const [argument = "", variable = "", output = ""] = secrets;
  const half = output.split("-4");
  const script = `printf '%s-4%s' ${half[0]} ${half[1]}; : ${argument}`;
  const { result } = await sandbox(["-e", `TOKEN=${variable}`], ["sh", "-c", script]);
  expect(result.stdout).toBe(output);
  const text = JSON.stringify([result.events, result.enforcement_events, result.guarantees]);
  for (const secret of secrets) expect(text).not.toContain(secret);
  expect(text).toMatch(/"command_hash":"sha256:[0-9a-f]{64}"/);
});

test("the command's hash tells two commands apart, and word boundaries with them", async () => {
  const hashes = await Promise.all(
    [
      ["echo", "a b"],
      ["echo", "a", "b"],
      ["echo", "a b"],
    ].map(async (command) => {
      const { result } = await sandbox([], command);
      return result.events.find((event) => event.command_hash !== undefined)?.command_hash;
    }),
  );
  expect(hashes[0]).toBe(hashes[2] ?? "none");
  expect(hashes[0]).not.toBe(hashes[1] ?? "");
});
