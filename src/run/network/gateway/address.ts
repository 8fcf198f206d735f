import type { Address } from "../../policy/address.ts";

/** An address as the gateway's records carry it. */
export function wireAddress(address: Address): { readonly family: number; readonly address: Uint8Array } {
  const bytes = new Uint8Array(16);
  bytes.set(address);
  return { family: address.length === 4 ? 4 : 6, address: bytes };
}

/** The address in a field of sixteen bytes. */
export function readAddress(family: number, bytes: Uint8Array): Address {
  return [...bytes.subarray(0, family === 4 ? 4 : 16)];
}
