/** A short name for a list of inputs: equal exactly when all of them are. */
export function hashOf(parts: readonly (string | Uint8Array)[]): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const part of parts) hasher.update(`${part.length}:`).update(part);
  return hasher.digest("hex").slice(0, 16);
}
