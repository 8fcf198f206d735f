import type { Address } from "../policy/address.ts";

/**
 * Ranges that are never the public internet: an address in one of them is reached only if `allowed_egress` lists it, whatever name
 * resolves to it. Loopback, cloud metadata, private networks and what is translated into them; the special-purpose registries of
 * RFC 6890. Documentation ranges are left out: nothing answers there.
 */
export interface SpecialRange {
  readonly what: string;
  /** Length of its prefix in bits: a network that lies within it has at least this. */
  readonly prefix: number;
}

interface Range extends SpecialRange {
  readonly first: Address;
}

const range = (what: string, first: Address, prefix: number): Range => ({ what, first, prefix });
const v6 = (...head: number[]): Address => [...head, ...new Array<number>(16 - head.length).fill(0)];

const version4: readonly Range[] = [
  range("this host", [0, 0, 0, 0], 8),
  range("loopback", [127, 0, 0, 0], 8),
  range("link-local (cloud metadata)", [169, 254, 0, 0], 16),
  range("private", [10, 0, 0, 0], 8),
  range("private", [172, 16, 0, 0], 12),
  range("private", [192, 168, 0, 0], 16),
  range("carrier-grade NAT", [100, 64, 0, 0], 10),
  range("protocol assignments", [192, 0, 0, 0], 24),
  range("benchmarking", [198, 18, 0, 0], 15),
  range("multicast", [224, 0, 0, 0], 4),
  range("reserved", [240, 0, 0, 0], 4),
];

const version6: readonly Range[] = [
  range("loopback", [...v6().slice(0, 15), 1], 128),
  range("unspecified or IPv4-compatible", v6(), 96),
  range("discard-only", v6(0x01, 0x00), 64),
  range("local NAT64", v6(0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), 48),
  range("Teredo", v6(0x20, 0x01, 0x00, 0x00), 32),
  range("6to4", v6(0x20, 0x02), 16),
  range("unique local", v6(0xfc), 7),
  range("link-local", v6(0xfe, 0x80), 10),
  range("site-local", v6(0xfe, 0xc0), 10),
  range("multicast", v6(0xff), 8),
];

const mapped = v6(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);
const nat64 = v6(0x00, 0x64, 0xff, 0x9b);

/** Whether the first `prefix` bits of both are the same; never for different versions. */
export function isInNetwork(address: Address, network: Address, prefix: number): boolean {
  if (address.length !== network.length) return false;
  const whole = prefix >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== network[i]) return false;
  const rest = prefix & 7;
  if (rest === 0) return true;
  const mask = (0xff00 >> rest) & 0xff;
  return ((address[whole] ?? 0) & mask) === ((network[whole] ?? 0) & mask);
}

/** The special range that an address lies in; undefined for an address of the public internet. */
export function specialRange(address: Address): SpecialRange | undefined {
  if (address.length === 4) return version4.find(({ first, prefix }) => isInNetwork(address, first, prefix));
  const inner = embedded(address);
  if (inner === undefined) return version6.find(({ first, prefix }) => isInNetwork(address, first, prefix));
  const special = specialRange(inner);
  return special && { what: `${special.what}, as IPv6`, prefix: 96 + special.prefix };
}

/** The version 4 address that an IPv4-mapped or NAT64 address leads to. */
function embedded(address: Address): Address | undefined {
  return isInNetwork(address, mapped, 96) || isInNetwork(address, nat64, 96) ? address.slice(12) : undefined;
}

/** An IPv4-mapped address as version 4, any other as it is: the kernel connects to the same place. */
export function plainAddress(address: Address): Address {
  return address.length === 16 && isInNetwork(address, mapped, 96) ? address.slice(12) : address;
}
