import type { BackendEvent, LsmDenied } from "../backend-event.ts";
import type { ReportRecord } from "../plan/contract.ts";
import type { Plan } from "../plan/plan.ts";

/** Uses that a learning run keeps. */
const usedMax = 65_536;

type Of<R extends ReportRecord["record"]> = Extract<ReportRecord, { record: R }> & { readonly at: number };

/**
 * All that is known of one run: a fold over a backend's events, whatever backend it is, so that a crash still yields a report.
 * Rich and internal; `projectResult` makes the public, versioned result of it.
 */
export interface Report {
  readonly plan: Plan;
  readonly createdAt: number;
  finishedAt: number;
  /** Setting up failed; nothing of the task ran. */
  failed: Of<"failed"> | null;
  started: Of<"started"> | null;
  ended: Of<"ended"> | null;
  cleaned: Of<"cleaned"> | null;
  verified: number;
  /** The launcher ended without its last record: why, and when. */
  lost: { readonly at: number; readonly detail: string } | null;
  readonly skipped: Of<"skipped">[];
  /** Content of control files at the zone's end, by op index. */
  readonly collected: Map<number, string>;
  /** System calls that the filter denied, one by one up to the launcher's bound. */
  readonly denied: Of<"denied">[];
  /** Watched calls, in a zone that is there to learn from. */
  readonly used: Of<"used">[];
  /** Denied calls beyond that bound. */
  deniedMore: number;
  /** What BPF-LSM programs denied, and how many denials beyond those. */
  readonly lsmDenied: (LsmDenied & { readonly at: number })[];
  lsmDeniedMore: number;
  /** Why the zone has no record in the runtime directory. */
  unrecorded: { readonly at: number; readonly detail: string } | null;
  /** Attempts to reach something outside, in network mode `filtered`, up to the gateway's bound. */
  readonly egress: EgressReport[];
  /** Attempts beyond that bound. */
  egressMore: number;
  egressLost: { readonly at: number; readonly detail: string } | null;
  readonly stdout: Uint8Array[];
  readonly stderr: Uint8Array[];
  /** The last signal that cancelled the run, 0 for none. */
  cancelSignal: number;
}

/** An attempt to reach something, when it was decided. */
export type EgressReport = Extract<BackendEvent, { record: "egress" }>;

/** A report of a run of which nothing has happened yet. */
export function newReport(plan: Plan, at: number): Report {
  return {
    plan,
    createdAt: at,
    finishedAt: at,
    failed: null,
    started: null,
    ended: null,
    cleaned: null,
    verified: 0,
    lost: null,
    skipped: [],
    collected: new Map(),
    denied: [],
    used: [],
    deniedMore: 0,
    lsmDenied: [],
    lsmDeniedMore: 0,
    unrecorded: null,
    egress: [],
    egressMore: 0,
    egressLost: null,
    stdout: [],
    stderr: [],
    cancelSignal: 0,
  };
}

/** Adds one event to the report. */
export function foldEvent(report: Report, event: BackendEvent): void {
  // Denials come after the end, with the time when they were.
  report.finishedAt = Math.max(report.finishedAt, event.at);
  switch (event.record) {
    case "failed":
      report.failed ??= event;
      break;
    case "started":
      report.started = event;
      break;
    case "output":
      (event.stream === 1 ? report.stdout : report.stderr).push(event.data);
      break;
    case "skipped":
      report.skipped.push(event);
      break;
    case "ended":
      report.ended = event;
      break;
    case "collected":
      report.collected.set(event.op, new TextDecoder().decode(event.data));
      break;
    case "denied":
      report.denied.push(event);
      break;
    case "used":
      // A task can name paths without end; what it learns from is bounded, and never more than a policy could list.
      if (report.used.length < usedMax) report.used.push(event);
      break;
    case "denials_dropped":
      report.deniedMore = event.count;
      break;
    case "lsm_denied":
      report.lsmDenied.push(event);
      break;
    case "lsm_dropped":
      report.lsmDeniedMore = event.count;
      break;
    case "unrecorded":
      report.unrecorded = { at: event.at, detail: event.detail };
      break;
    case "egress":
      report.egress.push(event);
      break;
    case "egress_dropped":
      report.egressMore += event.count;
      break;
    case "egress_lost":
      report.egressLost = event;
      break;
    case "verified":
      report.verified = event.checks;
      break;
    case "cleaned":
      report.cleaned = event;
      break;
    case "cancelled":
      report.cancelSignal = event.signal;
      break;
    case "lost":
      report.lost = { at: event.at, detail: event.detail };
      break;
  }
}
