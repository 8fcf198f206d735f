import type { EgressRules } from "./egress-rules.ts";
import type { gatewaySockets } from "./gateway/contract.ts";

/** The part of a plan that a zone's gateway works by. */
export interface EgressPlan {
  readonly rules: EgressRules;
  /** Which sockets the launcher hands out, in its order. */
  readonly sockets: readonly (typeof gatewaySockets)[number][];
}
