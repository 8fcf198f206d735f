import type { BackendEvent } from "../../../src/run/backend-event.ts";
import { endCause } from "../../../src/run/plan/contract.ts";
import type { Plan } from "../../../src/run/plan/plan.ts";
import { foldEvent, newReport, type Report } from "../../../src/run/report/report.ts";
import { verdictOf } from "../../../src/run/report/verdict.ts";
import { projectResult } from "../../../src/run/result/project.ts";
import { type Result, resultSchema } from "../../../src/run/result/schema.ts";

type Ended = Extract<BackendEvent, { record: "ended" }>;

const createdAt = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A task that exited 0 after 42 ms, with the given differences. */
export function ended(changes: Partial<Ended> = {}): BackendEvent {
  return {
    at: createdAt + 50,
    record: "ended",
    status: 0,
    cause: endCause.none,
    user_us: 3000,
    system_us: 1000,
    max_rss_bytes: 4096,
    wall_us: 42_000,
    stdout_bytes: 0,
    stderr_bytes: 0,
    pids_peak: 0,
    memory_peak: 0,
    ...changes,
  };
}

export const started: BackendEvent = { at: createdAt + 5, record: "started", pid: 77 };
export const cleaned: BackendEvent = { at: createdAt + 60, record: "cleaned", errno: 0, detail: "" };

export function reportOf(plan: Plan, events: readonly BackendEvent[]): Report {
  const report = newReport(plan, createdAt);
  for (const event of events) foldEvent(report, event);
  return report;
}

/** The result of these events, checked against the public schema, with Rauha's exit code. */
export function resultOf(plan: Plan, events: readonly BackendEvent[]): { result: Result; exitCode: number } {
  const report = reportOf(plan, events);
  const verdict = verdictOf(report);
  return { result: resultSchema.parse(projectResult(report, verdict)), exitCode: verdict.rauhaExitCode };
}
