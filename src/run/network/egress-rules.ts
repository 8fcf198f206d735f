import type { Address } from "../policy/address.ts";
import { splitDomain } from "../policy/domain.ts";
import { expandDomains } from "../policy/domain-presets.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../policy/endpoint.ts";
import { isInNetwork, specialRange } from "./special-ranges.ts";

/** What a zone in mode `filtered` may reach, as plain data that a plan carries. Nothing is reached unless listed. */
export interface EgressRules {
  /** Patterns of `allowed_domains` and --allow-domain, presets expanded. */
  readonly allowedDomains: readonly string[];
  /** Patterns of `denied_domains`: they win. */
  readonly deniedDomains: readonly string[];
  readonly allowedEgress: readonly Endpoint[];
}

/** The rules in the policy's words; every text is well-formed, since the policy was read. */
export function makeEgressRules(network: {
  readonly allowedDomains: readonly string[];
  readonly deniedDomains: readonly string[];
  readonly allowedEgress: readonly string[];
}): EgressRules {
  return {
    allowedDomains: expandDomains(network.allowedDomains),
    deniedDomains: expandDomains(network.deniedDomains),
    allowedEgress: network.allowedEgress.flatMap((text) => {
      const outcome = parseEndpoint(text);
      return outcome.ok ? [outcome.value] : [];
    }),
  };
}

/** Whether a name may be connected to at a port; without a port: at any. */
export function isNameAllowed(rules: EgressRules, name: string, port?: number): boolean {
  if (isNameDenied(rules, name, port)) return false;
  return rules.allowedDomains.some((pattern) => matches(pattern, name, port, true));
}

/** Whether `denied_domains` has the name: at this port; without a port: at every port. */
export function isNameDenied(rules: EgressRules, name: string, port?: number): boolean {
  return rules.deniedDomains.some((pattern) => matches(pattern, name, port, false));
}

function matches(text: string, name: string, port: number | undefined, anyPort: boolean): boolean {
  const { pattern, ports } = splitDomain(text);
  if (ports !== undefined && (port === undefined ? !anyPort : port < ports[0] || port > ports[1])) return false;
  return pattern === "*" || pattern === name || (pattern.startsWith("*.") && name.endsWith(pattern.slice(1)));
}

/**
 * The entry of `allowed_egress` that lists an address and port, in its own words; without a port: at any. An address of a special range
 * is listed only by an entry that lies within the range: `0.0.0.0/0` means the internet, not the host's loopback.
 */
export function egressRuleFor(rules: EgressRules, address: Address, port?: number): string | undefined {
  const least = specialRange(address)?.prefix ?? 0;
  const rule = rules.allowedEgress.find(
    ({ address: network, prefix, ports: [first, last] }) =>
      prefix >= least &&
      isInNetwork(address, network, prefix) &&
      (port === undefined || (port >= first && port <= last)),
  );
  return rule === undefined ? undefined : formatEndpoint(rule);
}

/**
 * Why an address may not be reached by way of a name: it lies in a range that is never the public internet, and `allowed_egress`
 * does not list it for this port (for any port, where none is given: when a name is resolved). Undefined: it may.
 */
export function refusedRange(rules: EgressRules, address: Address, port?: number): string | undefined {
  const special = specialRange(address);
  return special === undefined || egressRuleFor(rules, address, port) !== undefined ? undefined : special.what;
}
