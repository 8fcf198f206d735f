import type { Address } from "../policy/address.ts";
import type { Network } from "./address.ts";
import { readAttributes } from "./attributes.ts";

/** What the kernel answers to a get: rtnetlink(7). */

const decoder = new TextDecoder();

/** A network device that is there. */
export interface FoundLink {
  readonly index: number;
  readonly name: string;
  /** As `ip -d link` says it: `bridge`, `veth`; empty for a real device. */
  readonly kind: string;
}

/** A device; undefined if the body is none. */
export function decodeLink(body: Uint8Array): FoundLink | undefined {
  if (body.length < 16) return undefined;
  const attributes = readAttributes(body.subarray(16));
  const name = attributes?.get(3);
  if (name === undefined) return undefined;
  const info = attributes?.get(18);
  const kind = info === undefined ? undefined : readAttributes(info)?.get(1);
  return {
    index: new DataView(body.buffer, body.byteOffset, body.length).getInt32(4, true),
    name: text(name),
    kind: kind === undefined ? "" : text(kind),
  };
}

/** A route that is there. */
export interface FoundRoute {
  readonly to: Network;
  /** Numbers of the devices by which packets leave. */
  readonly devices: readonly number[];
}

/** A route of IPv4 to somewhere else, of the main table; undefined for any other. */
export function decodeRoute(body: Uint8Array): FoundRoute | undefined {
  if (body.length < 12) return undefined;
  const [of, prefix = 0, , , table, , , type] = body;
  const attributes = readAttributes(body.subarray(12));
  // AF_INET, RT_TABLE_MAIN, RTN_UNICAST
  if (of !== 2 || table !== 254 || type !== 1 || attributes === undefined) return undefined;
  const address: Address = [...(attributes.get(1) ?? [0, 0, 0, 0])];
  const device = attributes.get(4);
  const devices = device === undefined ? hops(attributes.get(9)) : [i32(device, 0)];
  return { to: { address, prefix }, devices };
}

/** RTA_MULTIPATH: struct rtnexthop, each with its length, flags and hops, then the device. */
function hops(bytes: Uint8Array | undefined): number[] {
  const devices: number[] = [];
  if (bytes === undefined) return devices;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 8) break;
    devices.push(view.getInt32(at + 4, true));
    at += (length + 3) & ~3;
  }
  return devices;
}

function i32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getInt32(at, true);
}

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes).replace(/\0.*$/s, "");
}
