import { TreeError } from "../../run/tree-fs.ts";
import { addressOf } from "../ffi.ts";

/** Up to this length bytes are turned one by one: the first use of `Buffer` costs more than a run has to turn. */
const shortest = 160;

/** A byte string with its closing NUL, for the kernel. */
export function nameBytes(name: string): Uint8Array {
  if (name.includes("\0")) throw new TreeError("name", name, 22);
  if (name.length > shortest) return Buffer.from(`${name}\0`, "latin1");
  const bytes = new Uint8Array(name.length + 1);
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i);
  return bytes;
}

/** Bytes as a byte string. */
export function byteString(bytes: Uint8Array): string {
  if (bytes.length > shortest) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
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

/** What a call writes into a buffer that may be too small at first, as bytes; or `-errno`. */
export function grown(read: (address: number, size: number) => number): Uint8Array | number {
  const length = read(addressOf(buffer), buffer.length);
  return length < 0 ? length : buffer.slice(0, length);
}
