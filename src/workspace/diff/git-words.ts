/** Pieces of git's extended diff format; names and contents are byte strings. */

const escapes: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

/** A name in C style where it has bytes that would be misread, as git with core.quotePath writes it. */
export function quoteName(name: string): string {
  let quoted = "";
  for (let i = 0; i < name.length; i++) {
    const byte = name.charCodeAt(i);
    if (escapes[byte] !== undefined) quoted += escapes[byte];
    else if (byte < 0x20 || byte >= 0x7f) quoted += `\\${byte.toString(8).padStart(3, "0")}`;
    else quoted += name.charAt(i);
  }
  return quoted === name ? name : `"${quoted}"`;
}

/** A name after `---` or `+++`: a tab ends it where a blank in it could. */
export function headerName(name: string): string {
  const quoted = quoteName(name);
  return quoted.includes(" ") && !quoted.startsWith('"') ? `${quoted}\t` : quoted;
}

/** git's name for a file's content: SHA-1 over a header and the bytes. */
export function blobId(content: Uint8Array): string {
  return new Bun.CryptoHasher("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

/** git knows of a mode only whether the owner may execute. */
export function gitMode(type: string, mode: number): string {
  if (type === "symlink") return "120000";
  return (mode & 0o100) !== 0 ? "100755" : "100644";
}

/** git's own test: a NUL among the first 8000 bytes. */
export function isBinary(content: Uint8Array): boolean {
  return content.subarray(0, 8000).includes(0);
}
