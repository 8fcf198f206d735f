import type { EgressAttempt } from "./network/attempt.ts";
import type { ReportRecord } from "./plan/contract.ts";

/** A launcher's record, or the backend's own word (the launcher ended without its last record, the caller cancelled); with the time in ms since the epoch. */
export type BackendEvent = { readonly at: number } & (
  | ReportRecord
  | { readonly record: "lost"; readonly detail: string }
  /** Rauha received a signal and told the launcher to cancel. */
  | { readonly record: "cancelled"; readonly signal: number }
  /** What BPF-LSM programs denied, found after the zone's end; and how many denials more there were. */
  | LsmDenied
  | { readonly record: "lsm_dropped"; readonly count: number }
  /** The zone has no record in the runtime directory, and why. */
  | { readonly record: "unrecorded"; readonly detail: string }
  /** Network mode `filtered`: a program tried to reach something outside. */
  | { readonly record: "egress"; readonly attempt: EgressAttempt }
  /** So many more attempts were decided, and not reported one by one. */
  | { readonly record: "egress_dropped"; readonly count: number }
  /** The gateway is gone, and with it the zone's way out. */
  | { readonly record: "egress_lost"; readonly detail: string }
);

/** A denial by a BPF program; the keys are those of the result's `enforcement_events`. */
export interface LsmDenied {
  readonly record: "lsm_denied";
  readonly hook: string;
  readonly action: string;
  /** `error`: what is needed to decide could not be looked up. */
  readonly decision: "deny" | "error";
  readonly message: string;
  readonly pid: number;
  readonly comm: string;
  /** The zone that the object belongs to, if any is known. */
  readonly targetZone: string | null;
  readonly object: string | null;
  readonly why: string;
  /** The policy key that would allow it. */
  readonly policyKey: string | undefined;
}
