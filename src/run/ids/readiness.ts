import type { Diagnostic } from "../diagnostic.ts";
import type { PlannedOp } from "../plan/plan.ts";

/** What there is of an ordinary user's subordinate ids. */
export interface SubordinateIds {
  /** The file of settings that asks for them; undefined: none does. */
  readonly asked: string | undefined;
  /** The last id of a zone with them. */
  readonly last: number;
  /** The maps of such a zone; none where something is missing. */
  readonly maps: readonly PlannedOp[];
  /** What is missing. */
  readonly problems: readonly Diagnostic[];
}
