/**
 * Byte strings: each character is one byte of a name as the file system has it (see `TreeFs`). Text of people, JSON and the
 * command line is UTF-8 and is turned into byte strings here, and back.
 */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossyDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The bytes of a name, as the kernel has it. */
export function bytesOf(name: string): Uint8Array {
  return Buffer.from(name, "latin1");
}

/** A name of these bytes: a string of one character for each. */
export function fromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** A name by its text in UTF-8. */
export function fromText(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A name as text; `exact` is false where it is no UTF-8 and characters had to be replaced. */
export function toText(name: string): { readonly text: string; readonly exact: boolean } {
  if (isAscii(name)) return { text: name, exact: true };
  try {
    return { text: decoder.decode(bytesOf(name)), exact: true };
  } catch {
    return { text: lossyDecoder.decode(bytesOf(name)), exact: false };
  }
}

function isAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Whether two pieces of memory hold the same. A few bytes are compared one by one: the first use of `Buffer` costs more. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  if (a.length > 64) return Buffer.compare(a, b) === 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The order of bytes, which is git's order of paths. */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A name in a directory; the root of a tree is the empty path. */
export function joinPath(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}

/** The directory that a path lies in. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Whether `path` is `root` or lies below it; "" is the whole tree. */
export function isWithin(path: string, root: string): boolean {
  return root === "" || path === root || path.startsWith(`${root}/`);
}
