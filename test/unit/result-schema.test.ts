import { describe, expect, test } from "bun:test";
import { endCause } from "../../src/run/plan/contract.ts";
import { eventJsonSchema, resultJsonSchema } from "../../src/run/result/json-schema.ts";
import { refusedResult } from "../../src/run/result/project.ts";
import { type Result, resultSchema } from "../../src/run/result/schema.ts";
import { violations } from "./json-schema-check.ts";
import { delegatedFacts, planned } from "./plan/inputs.ts";
import { cleaned, ended, resultOf, started } from "./result/run.ts";

const plan = planned({ facts: delegatedFacts });
const at = Date.UTC(2026, 0, 2, 3, 4, 5);
const succeeded = resultOf(plan, [started, ended(), cleaned]).result;
const bytes = { at, record: "output", stream: 1, data: Uint8Array.of(0xff, 0xfe) } as const;
const failed = { at, record: "failed", stage: 4, op: 3, errno: 2, step: "openat2", detail: "/x" } as const;

const results: Readonly<Record<string, Result>> = {
  succeeded,
  failed: resultOf(plan, [started, ended({ status: 3 << 8 }), cleaned]).result,
  "killed by a signal": resultOf(plan, [started, ended({ status: 11 }), cleaned]).result,
  "timed out": resultOf(plan, [started, ended({ status: 9, cause: endCause.timeout }), cleaned]).result,
  "out of memory": resultOf(plan, [started, ended({ status: 9, cause: endCause.memory }), cleaned]).result,
  "not UTF-8": resultOf(plan, [started, bytes, ended({ stdout_bytes: 2 }), cleaned]).result,
  "not set up": resultOf(plan, [failed, cleaned]).result,
  "without a launcher": resultOf(plan, [{ at, record: "lost", detail: "gone" }]).result,
};

describe("the JSON Schema of results", () => {
  const schema = resultJsonSchema();

  test.each(Object.entries(results))("takes a result: %s", (_, result) => {
    expect(violations(schema, JSON.parse(JSON.stringify(result)))).toEqual([]);
    for (const event of result.events) expect(violations(eventJsonSchema(), event)).toEqual([]);
  });

  test("has every key of the contract, each required but for the exact bytes of a stream", () => {
    const keys =
      "schema task_id zone_id command status cause exit_code signal duration_ms started_at finished_at stdout stderr stdout_bytes " +
      "stderr_bytes stdout_truncated stderr_truncated usage guarantees enforcement policy image changes events enforcement_events error";
    const required = schema["required"] as string[];
    expect(keys.split(" ").filter((key) => !required.includes(key))).toEqual([]);
    const optional = Object.keys(schema["properties"] as object).filter((key) => !required.includes(key));
    expect(optional.toSorted()).toEqual(["stderr_base64", "stdout_base64"]);
  });

  test("lets a reader's older copy take a newer result, while Rauha itself writes no key that is not in it", () => {
    const newer = { ...succeeded, colour: "red", usage: { ...succeeded.usage, joules: 1 } };
    expect(violations(schema, newer)).toEqual([]);
    expect(resultSchema.safeParse(newer).success).toBe(false);
  });

  test.each([
    ["another version", { schema: "rauha.sandbox.result/v2" }],
    ["a status that is none", { status: "ok" }],
    ["a cause that is none", { cause: "bored" }],
    ["an exit code out of range", { exit_code: 256 }],
    ["a time that is none", { started_at: "yesterday" }],
    ["a task id of another form", { task_id: "task-1" }],
    ["a negative duration", { duration_ms: -1 }],
    ["a usage that is missing", { usage: undefined }],
    ["no number where one is measured", { usage: { ...succeeded.usage, user_ms: "1" } }],
    ["an error that says nothing", { error: { code: "x" } }],
    ["an event without a name", { events: [{ ...succeeded.events[0], "event.name": undefined }] }],
    ["an event of a strange name", { events: [{ ...succeeded.events[0], "event.name": "Rauha.x" }] }],
  ])("refuses %s, as the source does", (_, change) => {
    const wrong = JSON.parse(JSON.stringify({ ...succeeded, ...change }));
    expect(violations(schema, wrong)).not.toEqual([]);
    expect(resultSchema.safeParse(wrong).success).toBe(false);
  });
});

test("a result that nothing ran for has the same keys, and passes the same schema", () => {
  const refusal = { taskId: "task_1", zoneId: "zone_1", command: ["x"], policy: null, at, stage: "decode" };
  const refused = refusedResult(refusal, [{ code: "invalid_policy", message: "no" }]);
  expect(violations(resultJsonSchema(), JSON.parse(JSON.stringify(refused)))).toEqual([]);
  for (const result of [refused, results["not set up"] ?? {}]) {
    expect(Object.keys(result).toSorted()).toEqual(Object.keys(succeeded).toSorted());
  }
});
