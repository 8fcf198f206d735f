import { policyOrigin } from "../../policy/policy.ts";
import { mountFlag } from "../contract.ts";
import type { PlanInputs } from "../draft.ts";
import { modeOrigin, type NetworkPart } from "./part.ts";

/**
 * Network mode `host`: no network namespace, so the zone has the host's interfaces, addresses, routes, firewall and ports. Only for
 * policies of type privileged; that root alone may run one is said by the section of the namespaces.
 */
export function hostPart({ request, policy }: Pick<PlanInputs, "request" | "policy">): NetworkPart {
  const origin = modeOrigin(request, policy);
  const problems: NetworkPart["problems"][number][] = [];
  if (policy.zone.type !== "privileged") {
    const message = `network mode host is for policies of type privileged, and ${policy.name} is not one`;
    const hint = "use --network bridged, or --policy privileged as root";
    problems.push({ code: "permission", message, origin, hint });
  }
  for (const key of ["allowedEgress", "allowedIngress", "allowedDomains", "deniedDomains"] as const) {
    if (policy.network[key].length === 0) continue;
    const list = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const message = `network.${list} can't be enforced in network mode host: the zone has the host's network`;
    const hint = "use --network bridged, or a policy without the list";
    problems.push({ code: "unenforceable", message, origin: policyOrigin(policy, `network.${list}`), hint });
  }
  const flags = mountFlag.optional | mountFlag.followSource;
  const path = "/etc/resolv.conf";
  const resolvers = { op: "copy", source: path, target: path, mode: 0o644, flags } as const;
  return {
    ownNamespace: false,
    files: [{ op: resolvers, origin, intent: `a copy of ${path}` }],
    ops: [],
    rules: undefined,
    problems,
    warnings: [],
  };
}
