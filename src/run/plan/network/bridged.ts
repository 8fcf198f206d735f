import { formatPublish, parsePublish } from "../../bridge/publish.ts";
import type { ZoneRules } from "../../bridge/zone-rules.ts";
import { capabilityMask } from "../../capabilities.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import { type Address, formatAddress } from "../../policy/address.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../policy/endpoint.ts";
import { type Read, wrong } from "../../policy/form.ts";
import { policyOrigin } from "../../policy/policy.ts";
import type { PlanInputs } from "../draft.ts";
import { illFormed, wellFormed } from "./flag-lists.ts";
import { modeOrigin, type NetworkPart } from "./part.ts";

/** The resolvers of the host, as far as a zone can reach them. */
export interface HostResolvers {
  /** IPv4, none of them on the host's loopback. */
  readonly addresses: readonly Address[];
  /** Lines `search` and `options` of resolv.conf. */
  readonly lines: readonly string[];
}

export interface BridgedPart extends NetworkPart {
  readonly zoneRules: ZoneRules;
}

/**
 * Network mode `bridged`: the zone's own address on the host's bridge, behind a packet filter. All that is done for it is done from
 * the host, while the zone waits at a gate; so there is nothing in the zone that the task could undo.
 */
export function bridgedPart(
  { request, policy, facts }: Pick<PlanInputs, "request" | "policy" | "facts">,
  resolvers: HostResolvers,
): BridgedPart {
  const origin = modeOrigin(request, policy);
  const problems: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  if (!facts.privileged || (facts.capabilities & capabilityMask(["CAP_NET_ADMIN"])) === 0n) {
    const message = "network mode bridged makes a bridge and a packet filter on the host, which only root may do";
    problems.push({ code: "permission", message, origin, hint: "run as root, or use --network none" });
  }
  for (const key of ["allowedDomains", "deniedDomains"] as const) {
    if (policy.network[key].length === 0) continue;
    const list = key === "allowedDomains" ? "allowed_domains" : "denied_domains";
    const message = `network.${list} can't be enforced in network mode bridged: a packet filter sees addresses, not names`;
    const hint = "list addresses in network.allowed_egress, or use network mode filtered";
    problems.push({ code: "unenforceable", message, origin: policyOrigin(policy, `network.${list}`), hint });
  }
  const read = (key: "allowedEgress" | "allowedIngress", name: string): Endpoint[] =>
    policy.network[key].flatMap((text, index) => {
      const entry = parseEndpoint(text);
      const place = policyOrigin(policy, `network.${name}[${index}]`);
      if (!entry.ok) {
        problems.push({ code: "invalid_policy", message: `${text} is not CIDR:PORT`, origin: place });
        return [];
      }
      if (entry.value.address.length === 4) return [entry.value];
      const message = `${text} has no effect: bridged zones have no IPv6`;
      warnings.push({ code: "unenforceable", message, origin: place });
      return [];
    });
  const { allowEgress = [], publish = [] } = request;
  problems.push(...illFormed("--allow-egress", allowEgress, parseIpv4Endpoint));
  problems.push(...illFormed("--publish", publish, parsePublish));
  const egress = [...read("allowedEgress", "allowed_egress"), ...wellFormed(allowEgress, parseIpv4Endpoint)];
  const asksNames = egress.length > 0;
  const zoneRules: ZoneRules = {
    name: policy.name,
    allowedZones: policy.network.allowedZones,
    egress,
    ingress: read("allowedIngress", "allowed_ingress"),
    resolvers: asksNames ? resolvers.addresses : [],
    publish: wellFormed(publish, parsePublish),
  };
  if (asksNames && resolvers.addresses.length === 0) {
    const message = "the zone can't resolve names: the host's resolvers are on its loopback, where no zone comes";
    const hint = "name a resolver that other machines can use in the host's /etc/resolv.conf";
    warnings.push({ code: "unenforceable", message, origin: { kind: "host", what: "/etc/resolv.conf" }, hint });
  }
  const intent = `its own address on the bridge rauha0; ${words(zoneRules)}`;
  return {
    ownNamespace: true,
    files: [resolverFile(zoneRules.resolvers, resolvers.lines, asksNames)],
    ops: [{ op: { op: "network_gate" }, origin, intent }],
    rules: { means: "nftables", detail: "" },
    flags: ["--allow-egress", "--publish"],
    reach: reachOf(zoneRules),
    problems,
    warnings,
    zoneRules,
  };
}

function reachOf({ egress, resolvers }: ZoneRules): string[] {
  const names = resolvers.map((address): Endpoint => ({ address, prefix: 32, ports: [53, 53] }));
  return [...egress, ...names].map(formatEndpoint);
}

/** What is asked for by a flag has to hold: an IPv6 address can't. */
function parseIpv4Endpoint(text: string): Read<Endpoint> {
  const entry = parseEndpoint(text);
  if (!entry.ok || entry.value.address.length === 4) return entry;
  return wrong(`${text} has no effect: bridged zones have no IPv6`, "name an IPv4 address");
}

function words({ egress, ingress, allowedZones, publish }: ZoneRules): string {
  const list = (entries: readonly Endpoint[]) =>
    entries.map(({ address, prefix, ports: [first, last] }) => {
      const port = first === 0 ? "*" : first === last ? `${first}` : `${first}-${last}`;
      return `${formatAddress(address)}/${prefix}:${port}`;
    });
  const or = (name: string, items: readonly string[]) => `${name} ${items.length === 0 ? "nothing" : items.join(", ")}`;
  const published = publish.length === 0 ? [] : [`published ${publish.map(formatPublish).join(", ")}`];
  return [or("out to", list(egress)), or("in from", list(ingress)), or("zones", allowedZones), ...published].join("; ");
}

function resolverFile(
  addresses: readonly Address[],
  lines: readonly string[],
  asksNames: boolean,
): NetworkPart["files"][number] {
  const none = asksNames
    ? "# The host's resolvers are on its loopback: no zone reaches them.\n"
    : "# The zone may connect to nothing, so there is nothing to resolve.\n";
  const text =
    addresses.length === 0
      ? none
      : [...addresses.map((address) => `nameserver ${formatAddress(address)}`), ...lines, ""].join("\n");
  const target = "/etc/resolv.conf";
  const file = { op: "file", target, mode: 0o644, content: new TextEncoder().encode(text) } as const;
  return { op: file, origin: { kind: "zone", what: "resolvers" }, intent: `${target} with the host's resolvers` };
}

/**
 * The resolvers in texts of resolv.conf(5), of which the first with one that a zone can reach counts: the host's own file, then the one
 * that systemd-resolved keeps of what is behind it.
 */
export function readResolvers(texts: readonly string[]): HostResolvers {
  for (const text of texts) {
    const lines = text.split("\n").map((line) => line.trim());
    const addresses = lines.flatMap((line) => {
      const match = /^nameserver\s+(\d{1,3}(?:\.\d{1,3}){3})(?:\s|$)/.exec(line);
      const address = match?.[1]?.split(".").map(Number) ?? [];
      return address.length === 4 && address[0] !== 127 && address.every((byte) => byte <= 255) ? [address] : [];
    });
    // resolv.conf(5): three are used.
    if (addresses.length > 0)
      return {
        addresses: addresses.slice(0, 3),
        lines: lines.filter((line) => /^(search|options|domain)\s/.test(line)),
      };
  }
  return { addresses: [], lines: [] };
}
