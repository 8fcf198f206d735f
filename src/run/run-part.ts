import type { BackendEvent } from "./backend-event.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { PlanInputs } from "./plan/draft.ts";
import type { Report } from "./report/report.ts";
import type { Verdict } from "./report/verdict.ts";
import type { RunOutcome } from "./result/project.ts";
import type { ZoneNetwork } from "./zone-network.ts";

/**
 * Something that a run has besides its zone, where request, policy or host ask for it: the layers of a workspace, a network, the
 * BPF-LSM programs. Most runs have none. A run asks its parts in the order of its list, and takes them down in the reverse; each has
 * the methods of the moments in which it has something to do.
 */
export interface RunPart {
  /** Before the plan: makes what the zone must find; or says why not, and leaves nothing. `refused`: why the kernel did not mount overlayfs the first time. */
  prepare?(inputs: PlanInputs, refused?: string): PreparedPart | Promise<PreparedPart>;
  /** Once, when the launcher has begun to build the zone: it does not wait. */
  meanwhile?(): void | Promise<void>;
  /** The host's side of the zone's network. */
  readonly network?: ZoneNetwork;
  /** The zone is gone: what was for its life alone goes, and what was seen is told. */
  end?(): readonly BackendEvent[] | Promise<readonly BackendEvent[]>;
  /** After that, and before anyone looks at what the task left: what takes a zone of its own. */
  settle?(): Promise<void>;
  /** No task ran: what `prepare` made goes, if it made anything. A promise is waited for. */
  undo?(): unknown;
  /** What became of it, in addition to what the parts before it say. */
  conclude?(report: Report, verdict: Verdict, before: RunOutcome): RunOutcome;
}

/** What the plan must know of a part that is ready. */
export type PreparedPart =
  | { readonly ok: true; readonly inputs: PlanInputs; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };
