import type { Network } from "../netlink/address.ts";
import { networkOf } from "../policy/address.ts";

/** Networks that a rule has to name: an entry for everything does not mean them. RFC 6890, IPv4. */
export const specialNetworks: readonly Network[] = [
  // This network.
  { address: [0, 0, 0, 0], prefix: 8 },
  // Private, RFC 1918.
  { address: [10, 0, 0, 0], prefix: 8 },
  { address: [172, 16, 0, 0], prefix: 12 },
  { address: [192, 168, 0, 0], prefix: 16 },
  // Shared with the provider, RFC 6598.
  { address: [100, 64, 0, 0], prefix: 10 },
  // Loopback.
  { address: [127, 0, 0, 0], prefix: 8 },
  // Link-local: there clouds answer with credentials.
  { address: [169, 254, 0, 0], prefix: 16 },
  // Protocol assignments and benchmarks.
  { address: [192, 0, 0, 0], prefix: 24 },
  { address: [198, 18, 0, 0], prefix: 15 },
  // Multicast, reserved, broadcast.
  { address: [224, 0, 0, 0], prefix: 3 },
];

/** Whether a network lies wholly within another. */
export function isWithin(inner: Network, outer: Network): boolean {
  return (
    inner.address.length === outer.address.length &&
    inner.prefix >= outer.prefix &&
    networkOf(inner.address, outer.prefix).join() === networkOf(outer.address, outer.prefix).join()
  );
}

/** Whether two networks have an address in common. */
export function overlap(one: Network, other: Network): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

/** Whether an entry names a special network, or a part of one. */
export function isSpecial(network: Network): boolean {
  return specialNetworks.some((special) => isWithin(network, special));
}
