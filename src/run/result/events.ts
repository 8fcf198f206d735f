import type { Plan } from "../plan/plan.ts";
import { errnoName } from "../report/errno.ts";
import { errorOf } from "../report/errors.ts";
import type { Report } from "../report/report.ts";
import { oomKills } from "../report/usage.ts";
import type { Verdict } from "../report/verdict.ts";
import { deniedCall } from "./denials.ts";
import { egressKeys } from "./egress.ts";
import type { ResultEvent } from "./schema.ts";

type Kind = ResultEvent["event.kind"];
type Outcome = ResultEvent["event.outcome"];
type Extra = Partial<ResultEvent>;

/** A fact about the workspace, once the zone has ended. */
export interface WorkspaceEvent {
  readonly at: number;
  /** `fs.…`, without the leading `rauha.`. */
  readonly name: string;
  readonly outcome: Outcome;
  readonly level: ResultEvent["level"];
  readonly extra: Readonly<Record<string, string | number>>;
}

/** The public events of a run, in the order of time. No argv, no environment, no output: a hash stands for the command. */
export function projectEvents(
  report: Report,
  verdict: Verdict,
  mode: "enforcing" | "unavailable",
  workspace: readonly WorkspaceEvent[] = [],
): ResultEvent[] {
  const { plan } = report;
  const events: ResultEvent[] = [];
  const add = (at: number, name: string, kind: Kind, outcome: Outcome, extra: Extra = {}) => {
    events.push({
      "event.name": `rauha.${name}`,
      "event.version": 1,
      "event.kind": kind,
      "event.outcome": outcome,
      timestamp: new Date(at).toISOString(),
      level: outcome === "failed" ? "error" : outcome === "degraded" || outcome === "timed_out" ? "warn" : "info",
      ...commonKeys(plan, mode),
      ...extra,
    });
  };

  add(report.createdAt, "zone.create.started", "lifecycle", "started");
  const error = errorOf(report);
  if (report.failed !== null) {
    add(report.failed.at, "zone.create.failed", "lifecycle", "failed", errorKeys(error));
  }
  for (const skipped of report.skipped) addSkipped(report, skipped, add);
  const { started, ended, cleaned } = report;
  if (started !== null) {
    const duration_ms = started.at - report.createdAt;
    add(started.at, "zone.create.succeeded", "lifecycle", "succeeded", { duration_ms });
    add(started.at, "policy.apply.succeeded", "policy", "succeeded");
    add(started.at, "sandbox.command.started", "execution", "started", { command_hash: plan.commandHash });
  }
  // Nothing that guards the zone is missing: others can't find it.
  if (report.unrecorded !== null)
    add(report.unrecorded.at, "zone.record.skipped", "lifecycle", "skipped", {
      degraded_reason: report.unrecorded.detail,
    });
  const first = events.length;
  for (const denial of report.denied) {
    const call = { syscall: deniedCall(denial), pid: denial.pid, comm: denial.comm };
    add(denial.at, "enforcement.deny", "enforcement", "denied", call);
  }
  for (const { at, hook, pid, comm } of report.lsmDenied)
    add(at, "enforcement.deny", "enforcement", "denied", { hook, pid, comm });
  const deniedMore = report.deniedMore + report.lsmDeniedMore;
  if (deniedMore > 0) {
    const degraded_reason = `${deniedMore} more denied calls were counted, not listed`;
    add(report.finishedAt, "enforcement.deny.dropped", "enforcement", "degraded", { degraded_reason });
  }
  addEgress(report, add);
  // Each source tells its own in order; of several, what came first stands first.
  if (report.egress.length + report.lsmDenied.length > 0) events.push(...events.splice(first).sort(byTime));
  if (ended !== null) {
    if (oomKills(report) > 0 || verdict.cause === "oom") {
      add(ended.at, "resource.oom.detected", "resource", "failed");
    }
    const [transition, outcome] = commandEnd(verdict);
    const duration_ms = Math.round(ended.wall_us / 1000);
    const extra = { duration_ms, command_hash: plan.commandHash, exit_code: verdict.exitCode, signal: verdict.signal };
    add(ended.at, `sandbox.command.${transition}`, "execution", outcome, extra);
  }
  if (report.lost !== null) add(report.lost.at, "sandbox.command.lost", "error", "failed", errorKeys(error));
  if (cleaned !== null) {
    if (cleaned.errno === 0) add(cleaned.at, "sandbox.cleanup.succeeded", "cleanup", "succeeded");
    else add(cleaned.at, "sandbox.cleanup.failed", "cleanup", "failed", errorKeys(error));
  }
  for (const { at, name, outcome, level, extra } of workspace)
    add(at, name, "filesystem", outcome, { level, ...extra });
  return events;
}

function byTime(a: ResultEvent, b: ResultEvent): number {
  return a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0;
}

/** What programs reached, and what they did not. */
function addEgress(
  { egress, egressMore, egressLost, finishedAt }: Report,
  add: (at: number, name: string, kind: Kind, outcome: Outcome, extra?: Extra) => void,
): void {
  for (const { at, attempt } of egress) {
    const outcome = attempt.decision === "allow" ? "allowed" : "denied";
    add(
      at,
      `network.${attempt.inbound === true ? "ingress" : "egress"}.${outcome}`,
      "network",
      outcome,
      egressKeys(attempt),
    );
  }
  if (egressMore > 0) {
    const degraded_reason = `${egressMore} more attempts were counted, not listed`;
    add(finishedAt, "network.egress.dropped", "network", "degraded", { degraded_reason });
  }
  if (egressLost !== null)
    add(egressLost.at, "network.gateway.lost", "network", "failed", { "error.message": egressLost.detail });
}

function commonKeys(plan: Plan, mode: "enforcing" | "unavailable"): Extra {
  return {
    task_id: plan.taskId,
    zone_id: plan.zoneId,
    correlation_id: plan.taskId,
    ...(plan.image === null ? {} : { image_ref: plan.image.reference }),
    policy_name: plan.policy.name,
    policy_hash: plan.policy.hash,
    "backend.name": plan.backend.name,
    "backend.platform": plan.backend.platform,
    "backend.enforcement_mode": mode,
  };
}

function commandEnd(verdict: Verdict): readonly [string, Outcome] {
  if (verdict.cause === "timeout") return ["timed_out", "timed_out"];
  if (verdict.cause === "cancelled") return ["cancelled", "cancelled"];
  return ["exited", verdict.status === "succeeded" ? "succeeded" : "failed"];
}

/** Only a skipped control file is news: a host path that is not there makes the view smaller, never larger. */
function addSkipped(
  report: Report,
  skipped: Report["skipped"][number],
  add: (at: number, name: string, kind: Kind, outcome: Outcome, extra?: Extra) => void,
): void {
  const op = report.plan.ops[skipped.op]?.op;
  if (op?.op !== "cgroup_set") return;
  const degraded_reason = `${op.file} can't be set: ${errnoName(skipped.errno)}`;
  add(skipped.at, "resource.limit.degraded", "resource", "degraded", { degraded_reason });
}

function errorKeys(error: ReturnType<typeof errorOf>): Extra {
  if (error === null) return {};
  return { "error.code": error.code, "error.kind": error.kind, "error.message": error.message };
}
