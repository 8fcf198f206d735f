import { expect, test } from "bun:test";
import { startLimits } from "../../../src/run/start/contract.ts";
import { fnv1a32, keyOf, slotOf } from "../../../src/run/start/key.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("the hash is FNV-1a, as its authors publish it", () => {
  expect(fnv1a32(bytes(""))).toBe(0x811c9dc5);
  expect(fnv1a32(bytes("a"))).toBe(0xe40c292c);
  expect(fnv1a32(bytes("foobar"))).toBe(0xbf9cf968);
});

test("a slot is that of the options and the directory, each with its end", () => {
  expect(slotOf(["--policy", "ä"], "/w")).toBe(fnv1a32(bytes("--policy\0ä\0/w\0")) % startLimits.slots);
  expect(slotOf([], "/")).toBe(fnv1a32(bytes("/\0")) % startLimits.slots);
});

test("starts spread over all slots", () => {
  const slots = new Set(Array.from({ length: 400 }, (_, n) => slotOf(["--memory", String(n)], "/srv")));
  expect(slots.size).toBe(startLimits.slots);
});

test("a key is that of the user and the slot, and never IPC_PRIVATE", () => {
  const named = (uid: number[], slot: number) => fnv1a32(Uint8Array.of(...bytes("rauha start"), ...uid, slot)) | 0;
  expect(keyOf(0, 0)).toBe(named([0, 0, 0, 0], 0));
  expect(keyOf(0x12345678, 15)).toBe(named([0x78, 0x56, 0x34, 0x12], 15));
  const keys = new Set<number>();
  for (let uid = 0; uid < 2000; uid++) for (let slot = 0; slot < startLimits.slots; slot++) keys.add(keyOf(uid, slot));
  expect(keys.has(0)).toBe(false);
  // No two users meet in a slot more often than 32 bits let them.
  expect(keys.size).toBeGreaterThan(2000 * startLimits.slots - 5);
});
