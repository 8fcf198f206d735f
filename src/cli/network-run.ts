import type { Backend, ZoneNetwork } from "../run/backend.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { NetworkPart } from "../run/plan/network/part.ts";

/** The network of one run: what it adds to the plan, and the host's side of it while the zone lives. */
export interface NetworkRun {
  readonly part: NetworkPart;
  readonly zone?: ZoneNetwork;
}

/** Prepares the network of a run whose mode is not none; undefined for a mode that this build has not. Nothing is made yet. */
export async function openNetworkRun(_backend: Backend, inputs: PlanInputs): Promise<NetworkRun | undefined> {
  switch (inputs.request.network ?? inputs.policy.network.mode) {
    case "host":
      return { part: (await import("../run/plan/network/host.ts")).hostPart(inputs) };
    default:
      return undefined;
  }
}
