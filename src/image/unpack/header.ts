import { LayerRefusal } from "./refusal.ts";

export const blockBytes = 512;

/** One header block of an archive: ustar of POSIX.1-1988, GNU's variant of it, or the older form without a magic word. tar(5). */
export interface Header {
  readonly type: string;
  readonly name: string;
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds; may be negative. */
  readonly mtime: number;
}

/** Decodes a block that is not all zeros; refuses one whose checksum or numbers are wrong. */
export function decodeHeader(block: Uint8Array): Header {
  const prefix = isUstar(block) ? text(block, 345, 155) : "";
  const base = text(block, 0, 100);
  const name = prefix === "" ? base : `${prefix}/${base}`;
  if (!hasValidChecksum(block)) throw new LayerRefusal("the header's checksum is wrong", name);
  const field = (at: number, length: number, what: string) => number(block, at, length, what, name);
  const size = field(124, 12, "size");
  if (size < 0) throw new LayerRefusal("its size is negative", name);
  return {
    type: String.fromCharCode(block[156] ?? 0),
    name,
    link: text(block, 157, 100),
    mode: field(100, 8, "mode") & 0o7777,
    uid: field(108, 8, "uid"),
    gid: field(116, 8, "gid"),
    size,
    mtime: field(136, 12, "mtime"),
  };
}

/** Whether a block is one of those that end an archive. */
export function isZero(block: Uint8Array): boolean {
  for (const byte of block) if (byte !== 0) return false;
  return true;
}

/** Bytes up to the first NUL, as a byte string. */
export function text(bytes: Uint8Array, at: number, length: number): string {
  let end = at;
  while (end < at + length && bytes[end] !== 0) end++;
  return byteString(bytes.subarray(at, end));
}

/** Bytes as a string of one character each: names of archives need be no UTF-8. */
export function byteString(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at += 4096) out += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return out;
}

/** `ustar`, NUL, `00`: only then a name's first part may be in the prefix field. GNU's magic has blanks there. */
function isUstar(block: Uint8Array): boolean {
  return text(block, 257, 6) === "ustar" && block[262] === 0;
}

/** The sum of all bytes, with blanks in the sum's own place; some old programs added them as signed ones. */
function hasValidChecksum(block: Uint8Array): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < blockBytes; i++) {
    const byte = i >= 148 && i < 156 ? 32 : (block[i] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const digits = text(block, 148, 8).trim();
  const said = /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : -1;
  return said === unsigned || said === signed;
}

/** An octal number, or GNU's binary one, whose first byte has its highest bit set. */
export function number(block: Uint8Array, at: number, length: number, what: string, name: string): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) return binaryNumber(block.subarray(at, at + length), what, name);
  const digits = text(block, at, length).trim();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw new LayerRefusal(`its ${what} is no number`, name);
  return Number.parseInt(digits, 8);
}

function binaryNumber(bytes: Uint8Array, what: string, name: string): number {
  const negative = (bytes[0] ?? 0) === 0xff;
  let value = BigInt(negative ? -1 : (bytes[0] ?? 0) & 0x7f);
  for (const byte of bytes.subarray(1)) value = value * 256n + BigInt(byte);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
    throw new LayerRefusal(`its ${what} is out of range`, name);
  return Number(value);
}
