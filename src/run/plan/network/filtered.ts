import { capabilityMask } from "../../capabilities.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import { makeEgressRules } from "../../network/egress-rules.ts";
import { readProxies } from "../../network/proxy.ts";
import { resolverFile, zoneSetup } from "../../network/zone-setup.ts";
import { parseDomain } from "../../policy/domain.ts";
import { parseEndpoint } from "../../policy/endpoint.ts";
import { policyOrigin } from "../../policy/policy.ts";
import type { PlanInputs } from "../draft.ts";
import { illFormed } from "./flag-lists.ts";
import { modeOrigin, type NetworkPart } from "./part.ts";

/**
 * Network mode `filtered`: a network namespace whose only way out is sockets that Rauha's gateway accepts on. Who may be reached is the
 * policy's lists and what flags add to them. `ipv6`: whether the kernel has it.
 */
export function filteredPart({ request, policy, facts }: Omit<PlanInputs, "filter">, ipv6: boolean): NetworkPart {
  const origin = modeOrigin(request, policy);
  const { allowDomains = [], allowEgress = [] } = request;
  const problems: Diagnostic[] = [
    ...illFormed("--allow-domain", allowDomains, parseDomain),
    ...illFormed("--allow-egress", allowEgress, parseEndpoint),
  ];
  if ((capabilityMask(policy.capabilities.allowed) & capabilityMask(["CAP_NET_ADMIN"])) !== 0n) {
    problems.push({
      code: "unenforceable",
      message: "CAP_NET_ADMIN would let the task change the rules of its own network, which mode filtered rests on",
      hint: "take CAP_NET_ADMIN out of the policy, or use another network mode",
      origin: policyOrigin(policy, "capabilities.allowed"),
    });
  }
  if (policy.zone.type === "privileged" && facts.privileged) {
    const message =
      "mode filtered needs a user namespace of the zone's own, and a privileged policy of root's has none";
    problems.push({ code: "unenforceable", message, hint: 'use a policy of type "non-global"', origin });
  }
  const { proxies, wrong } = readProxies(facts.env);
  for (const name of wrong) {
    const message = `${name} of your environment names no HTTP proxy, and mode filtered can go by no other`;
    const hint = `unset ${name}, or write it as http://HOST:PORT`;
    problems.push({ code: "unsupported", message, hint, origin: { kind: "host", what: name } });
  }
  const rules = makeEgressRules({
    allowedDomains: [...policy.network.allowedDomains, ...allowDomains.map((text) => text.toLowerCase())],
    deniedDomains: policy.network.deniedDomains,
    allowedEgress: [...policy.network.allowedEgress, ...allowEgress],
  });
  const content = new TextEncoder().encode(resolverFile);
  const resolvers = { op: "file", target: "/etc/resolv.conf", mode: 0o644, content } as const;
  const setup = zoneSetup(ipv6, rules.allowedEgress);
  return {
    ownNamespace: true,
    files: [
      { op: resolvers, origin, intent: "/etc/resolv.conf of the zone's own: names are asked for at the gateway" },
    ],
    ops: setup.map(({ op, intent }) => ({ op, origin, intent })),
    rules: { means: "gateway", detail: "" },
    egress: { rules, proxies, sockets: setup.flatMap(({ socket }) => socket ?? []) },
    flags: ["--allow-domain", "--allow-egress"],
    problems,
    warnings: [],
  };
}
