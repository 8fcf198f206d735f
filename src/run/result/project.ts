import type { Diagnostic } from "../diagnostic.ts";
import { ioMode } from "../plan/contract.ts";
import { errorOf, errorOfDiagnostics } from "../report/errors.ts";
import type { Report } from "../report/report.ts";
import { usageOf } from "../report/usage.ts";
import type { Verdict } from "../report/verdict.ts";
import { projectDenials } from "./denials.ts";
import { projectEgress } from "./egress.ts";
import { projectEvents, type WorkspaceEvent } from "./events.ts";
import type { Result } from "./schema.ts";
import { decodeStream } from "./streams.ts";

/** What the parts of a run found out after the zone had ended: above all, what became of the workspace. */
export interface RunOutcome {
  readonly changes: Result["changes"];
  readonly changesOmitted: number;
  readonly workspace: Result["workspace"];
  readonly events: readonly WorkspaceEvent[];
  /** Why the changes could not be carried over as asked. */
  readonly error: Result["error"];
  /** For people, and not in the result. */
  readonly warnings: readonly Diagnostic[];
}

/** Of a run without such parts. */
export const noOutcome: RunOutcome = {
  changes: [],
  changesOmitted: 0,
  workspace: null,
  events: [],
  error: null,
  warnings: [],
};

/** The public result of a run: a projection of the internal report, versioned by its `schema` key. */
export function projectResult(report: Report, verdict: Verdict, outcome = noOutcome): Result {
  const { plan, ended } = report;
  const ran = report.started !== null;
  const mode = ran ? "enforcing" : "unavailable";
  const stdout = projectStream(report, report.stdout, ended?.stdout_bytes ?? null);
  const stderr = projectStream(report, report.stderr, ended?.stderr_bytes ?? null);
  return {
    schema: "rauha.sandbox.result/v1",
    task_id: plan.taskId,
    zone_id: plan.zoneId,
    command: [...plan.command],
    status: verdict.status,
    cause: verdict.cause,
    exit_code: verdict.exitCode,
    signal: verdict.signal,
    duration_ms: ended === null ? report.finishedAt - report.createdAt : Math.round(ended.wall_us / 1000),
    started_at: new Date(report.createdAt).toISOString(),
    finished_at: new Date(report.finishedAt).toISOString(),
    stdout: stdout.text,
    stdout_bytes: stdout.bytes,
    stdout_truncated: stdout.truncated,
    ...(stdout.base64 === undefined ? {} : { stdout_base64: stdout.base64 }),
    stderr: stderr.text,
    stderr_bytes: stderr.bytes,
    stderr_truncated: stderr.truncated,
    ...(stderr.base64 === undefined ? {} : { stderr_base64: stderr.base64 }),
    usage: usageOf(report),
    guarantees: projectGuarantees(report, ran),
    enforcement: {
      mode,
      lsm: ran ? [...plan.lsm] : [],
      seccomp: ran && plan.seccomp,
      isolation: plan.isolation,
      trust_level: trustLevel(report, ran),
    },
    policy: { ...plan.policy },
    image: plan.image === null ? null : { ...plan.image },
    changes: outcome.changes,
    events: projectEvents(report, verdict, mode, outcome.events),
    enforcement_events:
      report.egress.length + report.lsmDenied.length === 0 ? projectDenials(report) : deniedInOrder(report),
    error: errorOf(report) ?? outcome.error,
    changes_omitted: outcome.changesOmitted,
    workspace: outcome.workspace,
  };
}

/** The result of a request that was refused before any zone was made: same shape, nothing ran, nothing enforced. */
export function refusedResult(
  refusal: {
    readonly taskId: string;
    readonly zoneId: string;
    readonly command: readonly string[];
    readonly policy: Result["policy"];
    readonly image?: Result["image"];
    readonly at: number;
    readonly stage: string;
  },
  diagnostics: readonly Diagnostic[],
): Result {
  const at = new Date(refusal.at).toISOString();
  const byPolicy = diagnostics.every((diagnostic) => diagnostic.origin?.kind === "policy");
  return {
    schema: "rauha.sandbox.result/v1",
    task_id: refusal.taskId,
    zone_id: refusal.zoneId,
    command: [...refusal.command],
    status: "runtime_error",
    cause: byPolicy ? "policy" : "setup",
    exit_code: null,
    signal: null,
    duration_ms: 0,
    started_at: at,
    finished_at: at,
    stdout: "",
    stdout_bytes: 0,
    stdout_truncated: false,
    stderr: "",
    stderr_bytes: 0,
    stderr_truncated: false,
    usage: {
      user_ms: null,
      system_ms: null,
      max_rss_bytes: null,
      memory_peak_bytes: null,
      pids_peak: null,
      io_read_bytes: null,
      io_write_bytes: null,
    },
    guarantees: [],
    enforcement: { mode: "unavailable", lsm: [], seccomp: false, isolation: "zone", trust_level: "unavailable" },
    policy: refusal.policy,
    image: refusal.image ?? null,
    changes: [],
    events: [],
    enforcement_events: [],
    error: errorOfDiagnostics(diagnostics, refusal.stage),
    changes_omitted: 0,
    workspace: null,
  };
}

/** What each of the mechanisms denied, in the order of time. */
function deniedInOrder(report: Report): Result["enforcement_events"] {
  const all = [...projectDenials(report), ...projectEgress(report)];
  return all.sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
}

interface ProjectedStream {
  readonly text: string | null;
  readonly bytes: number | null;
  readonly truncated: boolean;
  readonly base64: string | undefined;
}

/** A stream that was the caller's own was neither kept nor counted. */
function projectStream(report: Report, pieces: readonly Uint8Array[], total: number | null): ProjectedStream {
  const io = report.plan.ops.findLast(({ op }) => op.op === "io")?.op;
  if (io?.op === "io" && io.mode !== ioMode.capture)
    return { text: null, bytes: null, truncated: false, base64: undefined };
  const kept = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const bytes = total ?? kept;
  const truncated = bytes > kept;
  return { ...decodeStream(pieces, truncated), bytes, truncated };
}

/** A promise is reported as kept only if the zone ran and no op it rests on was passed over. */
function projectGuarantees(report: Report, ran: boolean): Result["guarantees"] {
  const skipped = new Set(report.skipped.map((record) => record.op));
  return report.plan.guarantees.map(({ name, state, mechanism, ops }) => {
    if (state !== "enforced") return { name, state, mechanism };
    if (!ran) return { name, state: "unavailable", mechanism: "the zone was not set up" };
    if (ops.some((op) => skipped.has(op)))
      return { name, state: "unavailable", mechanism: `${mechanism}: not on this host` };
    return { name, state, mechanism };
  });
}

/** Complete only if the report is: every record arrived, up to the last, and no denied call was left out or could not be seen. */
function trustLevel(report: Report, ran: boolean): Result["enforcement"]["trust_level"] {
  if (!ran) return "unavailable";
  const seen = report.plan.guarantees.some(({ name, state }) => name === "denial_events" && state === "enforced");
  if (!seen) return "best_effort";
  const isWhole = report.lost === null && report.ended !== null && report.egressLost === null;
  return isWhole && report.deniedMore + report.lsmDeniedMore + report.egressMore === 0 ? "complete" : "partial";
}
