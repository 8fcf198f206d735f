import { startLimits } from "./contract.ts";

const encoder = new TextEncoder();

/** FNV-1a, 32 bits. */
export function fnv1a32(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Which of a user's records is that of these options in this directory; another start that meets the same one takes its place. */
export function slotOf(options: readonly string[], cwd: string): number {
  return fnv1a32(encoder.encode([...options, cwd].map((word) => `${word}\0`).join(""))) % startLimits.slots;
}

/** The key of the shared memory segment that a record lies in, as shmget(2) takes it: a signed number, and never IPC_PRIVATE. */
export function keyOf(uid: number, slot: number): number {
  const words = encoder.encode("rauha start");
  const bytes = new Uint8Array(words.length + 5);
  bytes.set(words);
  new DataView(bytes.buffer).setUint32(words.length, uid, true);
  bytes[words.length + 4] = slot;
  return fnv1a32(bytes) | 0 || 1;
}
