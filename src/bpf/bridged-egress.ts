import { gateway, zonesNetwork } from "../run/bridge/names.ts";
import { isSpecial, isWithin, specialNetworks } from "../run/bridge/special.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../run/policy/endpoint.ts";
import { addressKeys, portsOfRange } from "./address-keys.ts";
import { listing, way } from "./contract.ts";

/** An entry of `rauha_addresses`. */
export interface AddressEntry {
  readonly key: Uint8Array;
  /** Of `listing`. */
  readonly value: number;
}

const allPorts = [0, 65_535] as const;

/**
 * What a zone of mode `bridged` may send to, as the bridge's chain has it: an entry for everything does not mean private and reserved
 * networks, which only an entry within them opens. Other zones are left to the chain, which knows who listed whom, and only if this one
 * lists any; the host's own address on the bridge is not. The texts are valid endpoints; IPv6, which the mode has not, is passed over.
 *
 * This is the second of two layers: a range of more ports than there are keys for opens all ports here.
 */
export function bridgedEgress(
  allowed: readonly string[],
  allowedZones: readonly string[],
  zone: bigint,
): AddressEntry[] {
  const entries = allowed.flatMap((text): Endpoint[] => {
    const parsed = parseEndpoint(text);
    return parsed.ok && parsed.value.address.length === 4 ? [narrowPorts(parsed.value)] : [];
  });
  const refused = entries
    .filter((entry) => !isSpecial(entry))
    .flatMap(({ ports, ...wide }) =>
      specialNetworks.filter((special) => isWithin(special, wide)).map((special) => ({ ...special, ports })),
    );
  const zones = allowedZones.length === 0 ? [] : [{ ...zonesNetwork, ports: allPorts }];
  const host = allowedZones.length === 0 ? [] : [{ address: gateway, prefix: 32, ports: allPorts }];
  const made = new Map<string, AddressEntry>();
  // What is said last counts: an entry for a special network opens it, whatever another entry leaves out.
  for (const [value, list] of [
    [listing.refused, [...refused, ...host]],
    [listing.allowed, [...zones, ...entries]],
  ] as const) {
    for (const endpoint of list)
      for (const key of addressKeys(formatEndpoint(endpoint), way.out, zone)) made.set(key.toHex(), { key, value });
  }
  return [...made.values()];
}

function narrowPorts(entry: Endpoint): Endpoint {
  const [first, last] = entry.ports;
  return last - first < portsOfRange ? entry : { ...entry, ports: allPorts };
}
