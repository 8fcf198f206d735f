import { endCause } from "../plan/contract.ts";
import type { Report } from "../report/report.ts";
import { oomKills } from "../report/usage.ts";
import type { Result } from "../result/schema.ts";

/**
 * Whether a run came to an end that a template can tell: the task exited by itself, all was undone, and there is nothing to be said that
 * another run of the same command would not say.
 */
export function endedPlainly(report: Report, result: Result): boolean {
  const { started, ended, cleaned, plan } = report;
  if (started === null || ended === null || cleaned === null) return false;
  if (ended.cause !== endCause.none || (ended.status & 0x7f) !== 0 || cleaned.errno !== 0) return false;
  const something = [report.failed, report.lost, report.unrecorded, report.egressLost, result.error, result.workspace];
  if (something.some((each) => each !== null)) return false;
  const lists = [report.denied, report.used, report.lsmDenied, report.egress, plan.warnings, result.changes];
  if (lists.some(({ length }) => length > 0)) return false;
  const { deniedMore, lsmDeniedMore, egressMore, cancelSignal } = report;
  if (deniedMore + lsmDeniedMore + egressMore + cancelSignal + oomKills(report) > 0) return false;
  if (result.stdout_truncated || result.stderr_truncated) return false;
  if (result.stdout_base64 !== undefined || result.stderr_base64 !== undefined) return false;
  // An event with a time of its own tells of each.
  return !report.skipped.some(({ op }) => plan.ops[op]?.op.op === "cgroup_set");
}
