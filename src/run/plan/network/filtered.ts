import { formatPublish, type PublishedPort, parsePublish } from "../../bridge/publish.ts";
import { capabilityMask } from "../../capabilities.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import { makeEgressRules } from "../../network/egress-rules.ts";
import { gatewayLimits } from "../../network/gateway/contract.ts";
import { readProxies } from "../../network/proxy.ts";
import { isInNetwork } from "../../network/special-ranges.ts";
import { gatewayPort, resolverFile, zoneSetup } from "../../network/zone-setup.ts";
import { parseDomain } from "../../policy/domain.ts";
import { type Endpoint, parseEndpoint } from "../../policy/endpoint.ts";
import { policyOrigin } from "../../policy/policy.ts";
import type { PlanInputs } from "../draft.ts";
import { illFormed, wellFormed } from "./flag-lists.ts";
import { modeOrigin, type NetworkPart } from "./part.ts";

/**
 * Network mode `filtered`: a network namespace whose only way out is sockets that Rauha's gateway accepts on. Who may be reached is the
 * policy's lists and what flags add to them. `ipv6`: whether the kernel has it.
 */
export function filteredPart({ request, policy, facts }: Omit<PlanInputs, "filter">, ipv6: boolean): NetworkPart {
  const origin = modeOrigin(request, policy);
  const { allowDomains = [], allowEgress = [], publish = [] } = request;
  const problems: Diagnostic[] = [
    ...illFormed("--allow-domain", allowDomains, parseDomain),
    ...illFormed("--allow-egress", allowEgress, parseEndpoint),
    ...illFormed("--publish", publish, parsePublish),
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
  const published = wellFormed(publish, parsePublish);
  problems.push(...unpublishable(published, rules.allowedEgress));
  const setup = zoneSetup(ipv6, rules.allowedEgress, published.length === 0 ? 0 : gatewayLimits.dialers);
  return {
    ownNamespace: true,
    files: [
      { op: resolvers, origin, intent: "/etc/resolv.conf of the zone's own: names are asked for at the gateway" },
    ],
    ops: setup.map(({ op, intent }) => ({ op, origin: op.op === "dial" ? publishOrigin : origin, intent })),
    rules: { means: "gateway", detail: "" },
    egress: { rules, proxies, sockets: setup.flatMap(({ socket }) => socket ?? []), publish: published },
    flags: ["--allow-domain", "--allow-egress", "--publish"],
    problems,
    warnings: [],
  };
}

const publishOrigin = { kind: "flag", flag: "--publish" } as const;

/** Ports of the zone that lead elsewhere: to the gateway's own sockets, or, where the policy lists the host's loopback, back to the host. */
function unpublishable(published: readonly PublishedPort[], egress: readonly Endpoint[]): Diagnostic[] {
  const origin = publishOrigin;
  const problems: Diagnostic[] = published.flatMap((port) => {
    const what = `--publish ${formatPublish(port)}`;
    if (port.zonePort === gatewayPort) {
      const message = `${what}: port ${gatewayPort} of the zone is that of Rauha's name service`;
      return { code: "invalid_argument", message, hint: "let the task listen on another port", origin };
    }
    if (!egress.some((entry) => meansHost(entry, port.zonePort))) return [];
    const message = `${what}: to the zone, 127.0.0.1:${port.zonePort} is the host's, since allowed_egress lists it`;
    return { code: "invalid_argument", message, hint: "let the task listen on another port", origin };
  });
  if (published.length > gatewayLimits.published) {
    const message = `--publish is given ${published.length} times`;
    const hint = `a zone publishes ${gatewayLimits.published} ports at most`;
    problems.push({ code: "invalid_argument", message, hint, origin });
  }
  return problems;
}

/** Whether an entry for loopback lists a port of 127.0.0.1, the address that published ports lead to. */
function meansHost({ address, prefix, ports: [first, last] }: Endpoint, port: number): boolean {
  const isLoopback = address.length === 4 && prefix >= 8 && isInNetwork([127, 0, 0, 1], address, prefix);
  return isLoopback && (first === 0 || (first <= port && port <= last));
}
