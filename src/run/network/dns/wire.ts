/** The parts of DNS messages that questions and answers share. RFC 1035, 4.1. */

export const dnsType = { A: 1, CNAME: 5, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const dnsCode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
} as const;
export const internetClass = 1;
export const headerBytes = 12;

/** A name and where the bytes after it begin. */
export interface ReadName {
  readonly name: string;
  readonly next: number;
}

/**
 * Reads a name, following pointers, which must lead backwards: no message can make this loop. Lower case; a label with anything but
 * letters, digits, hyphens and underscores makes the name unreadable: undefined.
 */
export function readName(bytes: Uint8Array, start: number): ReadName | undefined {
  const labels: string[] = [];
  let at = start;
  let next: number | undefined;
  let length = 0;
  for (;;) {
    const size = bytes[at];
    if (size === undefined) return undefined;
    if (size >= 0xc0) {
      const target = ((size & 0x3f) << 8) | (bytes[at + 1] ?? 0xff);
      if (at + 2 > bytes.length || target >= at) return undefined;
      next ??= at + 2;
      at = target;
      continue;
    }
    if (size > 63) return undefined;
    if (size === 0) return { name: labels.join("."), next: next ?? at + 1 };
    length += size + 1;
    if (at + 1 + size > bytes.length || length > 254) return undefined;
    const text = String.fromCharCode(...bytes.subarray(at + 1, at + 1 + size)).toLowerCase();
    if (!/^[a-z0-9_-]+$/.test(text)) return undefined;
    labels.push(text);
    at += 1 + size;
  }
}

/** A name as labels. It must be valid. */
export function writeName(name: string): number[] {
  const labels = name === "" ? [] : name.split(".");
  return [...labels.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

/** Two bytes in network order; 0 for those beyond the end. */
export function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Four bytes in network order; 0 for those beyond the end. */
export function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) * 65_536 + uint16(bytes, at + 2);
}

export const bytes16 = (value: number): [number, number] => [(value >> 8) & 0xff, value & 0xff];
export const bytes32 = (value: number): number[] => [
  ...bytes16(Math.floor(value / 65_536)),
  ...bytes16(value % 65_536),
];
