import { TreeError } from "../../run/tree-fs.ts";
import { addressOf } from "../ffi.ts";

/** A byte string with its closing NUL, for the kernel. */
export function nameBytes(name: string): Uint8Array {
  if (name.includes("\0")) throw new TreeError("name", name, 22);
  return Buffer.from(`${name}\0`, "latin1");
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
