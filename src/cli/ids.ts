import type { HostIo } from "../run/backend.ts";

/** A new id: 80 random bits behind a prefix that says of what. */
export function newId(prefix: "task" | "zone", io: Pick<HostIo, "randomBytes">): string {
  return `${prefix}_${io.randomBytes(10).toHex()}`;
}

/** What events carry instead of the command itself: SHA-256 over its arguments, each followed by NUL. */
export function commandHash(command: readonly string[]): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const argument of command) hasher.update(`${argument}\0`);
  return `sha256:${hasher.digest("hex")}`;
}
