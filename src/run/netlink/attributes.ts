/**
 * Attributes of netlink messages: a header of two u16 (length with the header, type), the payload, zeros up to a multiple of four.
 * netlink(7). Numbers are in the machine's order, which is little-endian wherever Rauha runs, unless a function says otherwise.
 */
const encoder = new TextEncoder();

/** Marks an attribute that holds attributes. */
const nested = 0x8000;
/** The type without its marks: nested, and numbers in network order. */
const typeBits = 0x3fff;

/** Bytes one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** An attribute with this payload. */
export function attribute(type: number, payload: Uint8Array): Uint8Array {
  const length = 4 + payload.length;
  if (length > 0xffff) throw new RangeError(`attribute ${type} is longer than 65535 bytes`);
  const bytes = new Uint8Array((length + 3) & ~3);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, length, true);
  view.setUint16(2, type, true);
  bytes.set(payload, 4);
  return bytes;
}

/** An attribute that holds these. */
export function nest(type: number, inside: readonly Uint8Array[]): Uint8Array {
  return attribute(type | nested, joinBytes(inside));
}

/** A text, with the NUL at its end that the kernel's NLA_NUL_STRING wants. */
export function textAttribute(type: number, text: string): Uint8Array {
  if (text.includes("\0")) throw new RangeError(`attribute ${type} has a NUL in its text`);
  return attribute(type, encoder.encode(`${text}\0`));
}

/** A number of 8 bits. */
export function u8(type: number, value: number): Uint8Array {
  return attribute(type, new Uint8Array([checked(value, 0xff)]));
}

/** A number of 32 bits in the machine's order, as rtnetlink has them. */
export function u32(type: number, value: number): Uint8Array {
  return attribute(type, u32Bytes(value));
}

/** A number of 32 bits in network order, as nftables has them. */
export function u32Network(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, checked(value, 0xffff_ffff), false);
  return attribute(type, bytes);
}

/** A number of 64 bits in network order. */
export function u64Network(type: number, value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, false);
  return attribute(type, bytes);
}

/** A number of 32 bits in the machine's order, without a header: the value of a register that holds such a number. */
export function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, checked(value, 0xffff_ffff), true);
  return bytes;
}

/** A port as it stands in a packet. */
export function portBytes(port: number): Uint8Array {
  checked(port, 0xffff);
  return new Uint8Array([port >> 8, port & 0xff]);
}

function checked(value: number, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most) throw new RangeError(`${value} is not from 0 to ${most}`);
  return value;
}

/** The attributes in `bytes` in their order; undefined if they are not well formed. */
export function listAttributes(bytes: Uint8Array): readonly ReadAttribute[] | undefined {
  const list: ReadAttribute[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? view.getUint16(at, true) : 0;
    if (length < 4 || at + length > bytes.length) return undefined;
    list.push({ type: view.getUint16(at + 2, true) & typeBits, payload: bytes.subarray(at + 4, at + length) });
    at += (length + 3) & ~3;
  }
  return list;
}

/** An attribute of a netlink message, with those in it unread. */
export interface ReadAttribute {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** The payload of each type, the last one where there are several; undefined if they are not well formed. */
export function readAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const list = listAttributes(bytes);
  return list === undefined ? undefined : new Map(list.map(({ type, payload }) => [type, payload]));
}
