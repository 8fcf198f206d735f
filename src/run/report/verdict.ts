import { endCause } from "../plan/contract.ts";
import type { Result } from "../result/schema.ts";
import type { Report } from "./report.ts";
import { signal, signalName } from "./signals.ts";
import { oomKills } from "./usage.ts";

/** How a run came out, for the result and for Rauha's own exit code. */
export interface Verdict {
  readonly status: Result["status"];
  readonly cause: Result["cause"];
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What `rauha sandbox` exits with: SPEC section 1. */
  readonly rauhaExitCode: number;
}

const ENOENT = 2;
const ENOTDIR = 20;

/** Judges a finished run. What the wait status alone can't tell (time-out, OOM, cancel) comes from the launcher and the cgroup. */
export function verdictOf(report: Report): Verdict {
  const { failed, ended } = report;
  if (failed !== null) return setupVerdict(report, isExecFailure(report) ? execExitCode(failed.errno) : 125);
  if (ended === null) return setupVerdict(report, report.cancelSignal > 0 ? 128 + report.cancelSignal : 125);
  const killedBy = ended.status & 0x7f;
  const exitCode = killedBy === 0 ? (ended.status >> 8) & 0xff : null;
  const name = killedBy === 0 ? null : signalName(killedBy);
  const common = { exitCode, signal: name } as const;
  if (ended.cause === endCause.timeout) return { ...common, status: "timed_out", cause: "timeout", rauhaExitCode: 124 };
  const plain = exitCode ?? 128 + killedBy;
  if (ended.cause === endCause.cancelled) {
    // Nobody may take for success what was cut short, though the task itself ended with 0 when it was asked to end.
    const rauhaExitCode = report.cancelSignal > 0 ? 128 + report.cancelSignal : plain === 0 ? 125 : plain;
    return { ...common, status: "failed", cause: "cancelled", rauhaExitCode };
  }
  if (exitCode === 0) return { ...common, status: "succeeded", cause: "exit", rauhaExitCode: 0 };
  return { ...common, status: "failed", cause: failureCause(report, killedBy, exitCode), rauhaExitCode: plain };
}

function setupVerdict(report: Report, rauhaExitCode: number): Verdict {
  const cause = report.cancelSignal > 0 && report.failed === null ? "cancelled" : "setup";
  return { status: "runtime_error", cause, exitCode: null, signal: null, rauhaExitCode };
}

function failureCause(report: Report, killedBy: number, exitCode: number | null): Result["cause"] {
  const { ended } = report;
  if (ended?.cause === endCause.memory) return "oom";
  // A shell whose child the OOM killer took exits 137 itself.
  if (oomKills(report) > 0 && (killedBy === signal.kill || exitCode === 128 + signal.kill)) return "oom";
  if (killedBy === signal.xcpu) return "cpu_limit";
  if (killedBy === signal.xfsz) return "file_size_limit";
  if (killedBy === signal.kill && overCpuLimit(report)) return "cpu_limit";
  return killedBy === 0 ? "exit" : "signal";
}

/** A task that ignores SIGXCPU is killed at the hard limit. */
function overCpuLimit(report: Report): boolean {
  const { ended, plan } = report;
  const limit = plan.ops.find(({ op }) => op.op === "rlimit" && op.resource === 0)?.op;
  if (limit?.op !== "rlimit" || ended === null) return false;
  return ended.user_us + ended.system_us >= Number(limit.soft) * 1e6;
}

/** Whether setting up failed at the task's own command rather than at the zone. */
export function isExecFailure(report: Report): boolean {
  const { failed, plan } = report;
  return failed !== null && plan.ops[failed.op]?.op.op === "exec";
}

function execExitCode(errno: number): 126 | 127 {
  return errno === ENOENT || errno === ENOTDIR ? 127 : 126;
}
