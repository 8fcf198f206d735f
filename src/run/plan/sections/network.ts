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
  refuseAdding(draft, mode);
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
function refuseAdding({ request, network, ...draft }: PlanDraft, mode: string): void {
  const { allowDomains, allowEgress, publish } = request;
  const given = [
    [allowDomains, "--allow-domain", "filtered"],
    [allowEgress, "--allow-egress", "filtered"],
    [publish, "--publish", "filtered"],
  ] as const;
  for (const [list, flag, better] of given) {
    if (list === undefined || network?.flags?.includes(flag) === true) continue;
    const message = `${flag} has no effect: the network mode is ${mode}`;
    draft.problems.push({
      code: "usage",
      message,
      origin: { kind: "flag", flag },
      hint: `add --network ${better}`,
    });
  }
}
