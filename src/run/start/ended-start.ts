import type { PlanInputs } from "../plan/draft.ts";
import type { PlanOutcome } from "../plan/plan.ts";
import type { Report } from "../report/report.ts";
import type { Result } from "../result/schema.ts";
import type { Consulted } from "./consulted.ts";

/** A start that has come to its end, and what it was made of. */
export interface EndedStart {
  /** Arguments between `sandbox` and the first `--`. */
  readonly options: readonly string[];
  /** How many arguments of the command are not the caller's. */
  readonly entrypoint: number;
  readonly inputs: PlanInputs;
  /** With the plan and all of its guarantees. */
  readonly report: Report;
  /** As it was written. */
  readonly result: Result;
  readonly consulted: Consulted;
  /** The planner that made the plan. */
  plan(inputs: PlanInputs): Promise<PlanOutcome>;
}

/** Keeps a start for the native front; says nothing where it can't. */
export type RememberStart = (start: EndedStart) => Promise<void>;
