import { policyOrigin } from "../../policy/policy.ts";
import { addOp, keep, notRequested, type PlanDraft, refuse, zoneOrigin } from "../draft.ts";
import { zoneHostname } from "./host-view.ts";

/** Modes that need what this build does not have yet. */
const laterModes = ["filtered", "bridged", "host"];

/** Host name and network. Mode `none`: a network namespace with nothing but its own loopback. */
export function planNetwork(draft: PlanDraft): void {
  const { request, policy } = draft;
  const mode = request.network ?? policy.network.mode;
  const byFlag = request.network !== undefined;
  const origin = byFlag ? ({ kind: "flag", flag: "--network" } as const) : policyOrigin(policy, "network.mode");
  if (laterModes.includes(mode)) {
    const message = `network mode ${mode} is not available in this build`;
    refuse(draft, "unsupported", message, origin, "use --network none: loopback only");
    return;
  }
  const name = zoneHostname(draft);
  const hostnameOrigin =
    request.hostname === undefined ? zoneOrigin("host name") : ({ kind: "flag", flag: "--hostname" } as const);
  addOp(draft, { op: "hostname", name }, hostnameOrigin, `host name ${name}`);
  addOp(draft, { op: "loopback" }, origin, "loopback up, and no other interface");
  if (policy.network.allowedEgress.length + policy.network.allowedDomains.length === 0 || byFlag) {
    notRequested(draft, "network_rules");
  } else keep(draft, "network_rules", "namespace", []);
}
