import { policyOrigin } from "../../policy/policy.ts";
import { addOp, keep, notRequested, type PlanDraft, refuse, zoneOrigin } from "../draft.ts";
import { zoneHostname } from "./host-view.ts";

/**
 * Host name and network. Mode `none`: a network namespace with nothing but its own loopback. What another mode needs was prepared
 * by the file of its own in `../network`; without that it is refused.
 */
export function planNetwork(draft: PlanDraft): void {
  const { request, policy, network } = draft;
  const mode = request.network ?? policy.network.mode;
  const byFlag = request.network !== undefined;
  const origin = byFlag ? ({ kind: "flag", flag: "--network" } as const) : policyOrigin(policy, "network.mode");
  if (mode !== "none" && network === undefined) {
    const message = `network mode ${mode} is not available in this build`;
    refuse(
      draft,
      "unsupported",
      message,
      origin,
      "use --network none (loopback only) or filtered (listed domains only)",
    );
    return;
  }
  if (network?.egress === undefined) refuseAllowing(draft, mode);
  const name = zoneHostname(draft);
  const hostnameOrigin =
    request.hostname === undefined ? zoneOrigin("host name") : ({ kind: "flag", flag: "--hostname" } as const);
  addOp(draft, { op: "hostname", name }, hostnameOrigin, `host name ${name}`);
  if (network?.ownNamespace !== false) {
    const others = network === undefined ? ", and no other interface" : "";
    addOp(draft, { op: "loopback" }, origin, `loopback up${others}`);
  }
  if (network !== undefined) {
    const first = draft.ops.push(...network.ops) - network.ops.length;
    draft.problems.push(...network.problems);
    draft.warnings.push(...network.warnings);
    const ops = network.ops.map((_, index) => first + index);
    if (network.rules === undefined) notRequested(draft, "network_rules");
    else keep(draft, "network_rules", network.rules.means, ops, network.rules.detail);
  } else if (policy.network.allowedEgress.length + policy.network.allowedDomains.length === 0 || byFlag) {
    notRequested(draft, "network_rules");
  } else keep(draft, "network_rules", "namespace", []);
}

/** Flags that add to lists which the mode does not go by. */
function refuseAllowing(draft: PlanDraft, mode: string): void {
  const { allowDomains, allowEgress } = draft.request;
  for (const flag of [allowDomains && "--allow-domain", allowEgress && "--allow-egress"]) {
    if (flag === undefined) continue;
    const message = `${flag} has no effect: the network mode is ${mode}`;
    refuse(draft, "usage", message, { kind: "flag", flag }, "add --network filtered");
  }
}
