/** A new id: 80 random bits behind a prefix that says of what. */
export function newId(prefix: "task" | "zone"): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return `${prefix}_${bytes.toHex()}`;
}

/** What events carry instead of the command itself: SHA-256 over its arguments, each followed by NUL. */
export function commandHash(command: readonly string[]): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const argument of command) hasher.update(`${argument}\0`);
  return `sha256:${hasher.digest("hex")}`;
}
