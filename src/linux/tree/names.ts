import { TreeError } from "../../run/tree-fs.ts";
import { addressOf } from "../ffi.ts";

/** Up to this length bytes are turned in one call: the first use of `Buffer` costs more than a run has to turn. */
const shortest = 512;
const encoder = new TextEncoder();

/** A byte string with its closing NUL, for the kernel. */
export function nameBytes(name: string): Uint8Array {
  if (name.includes("\0")) throw new TreeError("name", name, 22);
  // Of one length only if all of it is ASCII. No loop: in an interpreter it costs more than all the rest.
  const bytes = encoder.encode(`${name}\0`);
  return bytes.length === name.length + 1 ? bytes : Buffer.from(`${name}\0`, "latin1");
}

/** Bytes as a byte string. */
export function byteString(bytes: Uint8Array): string {
  if (bytes.length > shortest) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

/** The name of one entry: anything that could lead elsewhere is refused before the kernel sees it. */
export function entryBytes(name: string): Uint8Array {
  if (name === "" || name === "." || name === ".." || name.includes("/")) throw new TreeError("name", name, 22);
  return nameBytes(name);
}

/** A system call that must work: throws with its step and path. */
export function must(step: string, path: string, result: number): number {
  if (result < 0) throw new TreeError(step, path, -result);
  return result;
}

const buffer = new Uint8Array(65536);

/** What a call writes, as bytes of a buffer that the next such call uses again; or `-errno`. */
export function written(read: (address: number, size: number) => number): Uint8Array | number {
  const length = read(addressOf(buffer), buffer.length);
  return length < 0 ? length : buffer.subarray(0, length);
}
