import { parseEndpoint } from "../run/policy/endpoint.ts";
import { encodeRecord, fieldOffset } from "./record.ts";

/** Ports of one range that get a key each; a wider range is refused, unless it is all ports. */
export const portsOfRange = 1024;
/** Bits of a key before the address: port, way and zone. */
const bitsBefore = 8 * (fieldOffset("address", "address") - fieldOffset("address", "port"));
/** ::ffff:0:0/96 */
const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** An `allowed_egress` or `allowed_ingress` entry as keys of the prefix tree; the text is a valid endpoint. Throws for too wide a range. */
export function addressKeys(text: string, direction: number, zone: bigint): Uint8Array[] {
  const parsed = parseEndpoint(text);
  if (!parsed.ok) throw new RangeError(`${text} is no endpoint`);
  const { address, prefix, ports } = parsed.value;
  const [first, last] = ports;
  const all = first === 0;
  if (!all && last - first >= portsOfRange) {
    throw new RangeError(`${text}: BPF-LSM takes ranges of at most ${portsOfRange} ports, or *`);
  }
  const bytes = address.length === 16 ? Uint8Array.from(address) : Uint8Array.of(...mapped, ...address);
  const length = bitsBefore + prefix + (address.length === 16 ? 0 : 96);
  const count = all ? 1 : last - first + 1;
  return Array.from({ length: count }, (_, index) =>
    encodeRecord("address", {
      prefix: length,
      port: networkOrder(first + index),
      way: direction,
      zone,
      address: bytes,
    }),
  );
}

/** As the port lies in a socket's address. */
export function networkOrder(port: number): number {
  return ((port & 0xff) << 8) | (port >> 8);
}
