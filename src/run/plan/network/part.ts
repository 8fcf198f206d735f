import type { Diagnostic, Origin } from "../../diagnostic.ts";
import type { EgressPlan } from "../../network/egress-plan.ts";
import { type Policy, policyOrigin } from "../../policy/policy.ts";
import type { SandboxRequest } from "../../request.ts";
import type { enforcement } from "../enforcement.ts";
import type { PlannedOp } from "../plan.ts";

/**
 * What a network mode adds to a plan, worked out before planning: the hot path, network none, loads nothing of it. The planner
 * puts the pieces where they belong.
 */
export interface NetworkPart {
  /** Whether the zone has a network namespace of its own, and in it a loopback device that is up. */
  readonly ownNamespace: boolean;
  /** Mounted after the identity files: what /etc says about the network. */
  readonly files: readonly PlannedOp[];
  /** Carried out after the loopback device is up. */
  readonly ops: readonly PlannedOp[];
  /** What keeps the network rules, with what is particular to this zone; undefined if there is no rule to keep. */
  readonly rules:
    | { readonly means: keyof (typeof enforcement)["network_rules"]["means"]; readonly detail: string }
    | undefined;
  /** Mode `filtered`: what the zone's gateway works by. */
  readonly egress?: EgressPlan | undefined;
  /** Flags of this run that the mode goes by, of those that add to lists; the others are refused. */
  readonly flags?: readonly ("--allow-domain" | "--allow-egress" | "--publish")[];
  /** All that the zone may send to, as entries of `allowed_egress`, for the BPF programs to hold it to as well. */
  readonly reach?: readonly string[] | undefined;
  readonly problems: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/** Who chose the mode. */
export function modeOrigin(request: Pick<SandboxRequest, "network">, policy: Policy): Origin {
  return request.network === undefined ? policyOrigin(policy, "network.mode") : { kind: "flag", flag: "--network" };
}
