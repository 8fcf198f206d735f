/** What is remembered, and what is not. */
import { describe, expect, test } from "bun:test";
import type { PlanOutcome } from "../../../src/run/plan/plan.ts";
import type { Report } from "../../../src/run/report/report.ts";
import { verdictOf } from "../../../src/run/report/verdict.ts";
import { projectResult } from "../../../src/run/result/project.ts";
import type { Result } from "../../../src/run/result/schema.ts";
import { Consulted } from "../../../src/run/start/consulted.ts";
import type { EndedStart } from "../../../src/run/start/ended-start.ts";
import { makeRecord } from "../../../src/run/start/make-record.ts";
import { endedPlainly } from "../../../src/run/start/plain-end.ts";
import { inputs, rootFacts } from "../plan/inputs.ts";
import { Random } from "../policy/random.ts";
import { decodeRecord } from "./decode-record.ts";
import { hosts, namesFor, plainReport, planOf } from "./starts.ts";

const random = new Random(7);
const facts = hosts["root on version 1"] ?? rootFacts;
const all = { ...inputs({ request: { ...namesFor(random), command: ["true"] }, facts }), filter: undefined };
const identity = {
  uid: 0,
  gid: 0,
  capabilities: 1n,
  userNamespace: 2n,
  landlockAbi: 6,
  seccomp: true,
  stdinIsTerminal: false,
  cwd: "/",
};
const host = { build: 1n, identity, variables: [] };

async function ended(): Promise<EndedStart> {
  const outcome = await planOf(all);
  if (!outcome.ok) throw new Error("no plan");
  const report = plainReport(outcome.plan, new Random(3), []);
  const result = projectResult(report, verdictOf(report));
  return { options: ["--json"], entrypoint: 0, inputs: all, report, result, consulted: new Consulted(), plan: planOf };
}

test("a plain start is", async () => {
  const start = await ended();
  start.consulted.read("/a", 9, new Uint8Array(9));
  const record = await makeRecord(start, host);
  expect(decodeRecord(record ?? new Uint8Array())).toMatchObject({
    options: ["--json"],
    checks: [{ path: "/a" }],
    entrypoint: [],
    reported: [Uint8Array.of(7, 0, 0, 0, 4, 0, 0, 0, 63, 0, 0, 0)],
  });
});

test("what was passed over is told as it travels, a control file that is missing at the end too", async () => {
  const start = await ended();
  const ops = start.report.plan.ops;
  const mirror = ops.findIndex(({ op }) => op.op === "exec");
  const collect = ops.findIndex(({ op }) => op.op === "cgroup_collect");
  for (const op of [mirror, collect])
    start.report.skipped.push({ record: "skipped", at: 0, op, errno: 2, step: "openat2" });
  const record = await makeRecord({ ...start, result: resultOf(start.report) }, host);
  const { length } = "openat2";
  const wired = (op: number) =>
    Uint8Array.of(4, 0, 0, 0, 20, 0, 0, 0, op, 0, 0, 0, 2, 0, 0, 0, length, 0, 0, 0, ...Buffer.from("openat2\0"));
  const { reported } = decodeRecord(record ?? new Uint8Array());
  expect(reported.slice(0, 2)).toEqual([wired(mirror), wired(collect)]);
  expect(reported.length).toBe(3);
});

function resultOf(report: Report): Result {
  return projectResult(report, verdictOf(report));
}

describe("none is", () => {
  const cases: Readonly<Record<string, (start: EndedStart) => EndedStart>> = {
    "that asked for more than can be noted": (start) => {
      start.consulted.otherwise();
      return start;
    },
    "that read a large file": (start) => {
      start.consulted.read("/a", 1 << 20, new Uint8Array((64 << 10) + 1));
      return start;
    },
    "whose record is too large": (start) => {
      for (const path of ["/a", "/b", "/c", "/d"]) start.consulted.read(path, 1 << 20, new Uint8Array(64 << 10));
      return start;
    },
    "whose result was another": (start) => ({ ...start, result: { ...start.result, changes_omitted: 1 } }),
    "whose plan depends on its zone's name": (start) => ({
      ...start,
      plan: async (given) => {
        const outcome: PlanOutcome = await planOf(given);
        if (!outcome.ok) return outcome;
        const named = { op: "hostname", name: given.request.zoneId.slice(0, 9) } as const;
        const [first, ...ops] = outcome.plan.ops;
        if (first === undefined) return outcome;
        return { ok: true, plan: { ...outcome.plan, ops: [{ ...first, op: named }, ...ops] } };
      },
    }),
    "whose options don't allow another command": (start) => ({
      ...start,
      plan: async () => ({ ok: false, diagnostics: [] }),
    }),
  };
  test.each(Object.entries(cases))("%s", async (_, change) => {
    expect(await makeRecord(change(await ended()), host)).toBeUndefined();
  });
});

describe("no end is plain", () => {
  const denial = {
    record: "denied",
    at: 0,
    nr: 1,
    arch: 1,
    pid: 1,
    comm: "",
    object: "",
    args: new Uint8Array(48),
  } as const;
  const cases: Readonly<Record<string, (report: Report) => Partial<Report>>> = {
    "by a signal": ({ ended }) => ({ ended: ended && { ...ended, status: 9 } }),
    "by a time-out": ({ ended }) => ({ ended: ended && { ...ended, cause: 1 } }),
    "that is missing": () => ({ ended: null }),
    "without a start": () => ({ started: null }),
    "without a cleaning": () => ({ cleaned: null }),
    "that left something": ({ cleaned }) => ({ cleaned: cleaned && { ...cleaned, errno: 16 } }),
    "with a denial": () => ({ denied: [denial] }),
    "with denials that are counted": () => ({ deniedMore: 1 }),
    "that was cancelled": () => ({ cancelSignal: 2 }),
    "of a zone without a record": () => ({ unrecorded: { at: 0, detail: "" } }),
    "of a lost launcher": () => ({ lost: { at: 0, detail: "" } }),
    "with too much output": ({ ended }) => ({ ended: ended && { ...ended, stdout_bytes: 1 << 30 } }),
    "with output that is no text": ({ ended }) => ({
      stdout: [Uint8Array.of(0xff)],
      ended: ended && { ...ended, stdout_bytes: 1 },
    }),
    "of a plan with a warning": ({ plan }) => ({
      plan: { ...plan, warnings: [{ code: "unsupported", message: "so" }] },
    }),
    "without a limit that was asked for": ({ plan }) => ({
      skipped: [
        {
          record: "skipped",
          at: 0,
          errno: 2,
          step: "open",
          op: plan.ops.findIndex(({ op }) => op.op === "cgroup_set"),
        },
      ],
    }),
    "with a process that the kernel took for its memory": ({ plan, collected }) => ({
      collected: new Map([...collected].map(([op, text]) => [op, textOf(plan.ops[op]?.op) ? "oom_kill 1\n" : text])),
    }),
  };
  const textOf = (op: unknown) => JSON.stringify(op).includes("oom_control");
  test.each(Object.entries(cases))("%s", async (_, change) => {
    const { report } = await ended();
    expect(endedPlainly(report, resultOf(report))).toBe(true);
    const changed = { ...report, ...change(report) };
    expect(endedPlainly(changed, resultOf(changed))).toBe(false);
  });
});
