import type { HostIo } from "../run/backend.ts";

/** A new id: 80 random bits behind a prefix that says of what. */
export function newId(prefix: "task" | "zone", io: Pick<HostIo, "randomBytes">): string {
  return `${prefix}_${io.randomBytes(10).toHex()}`;
}

/** What events carry instead of the command itself: SHA-256 over its arguments, each followed by NUL. */
export function commandHash(command: readonly string[]): string {
  // Not Bun.CryptoHasher: the first use of that class takes ten times as long.
  return `sha256:${Bun.SHA256.hash(`${command.join("\0")}\0`, "hex")}`;
}
