/**
 * The native front's readers against broken records: whatever lies in the segment, they end, read nothing beyond it, and a plan is made
 * or not. The caller's own records alone are read (test/zone/remembered-attacks.test.ts); this is for those that a bug made.
 */
import { describe, expect } from "bun:test";
import { askFront, isSanitized } from "../native/front.ts";
import { makeFolder } from "../support/folders.ts";
import { needs } from "../support/identity.ts";
import { ownRecord } from "../support/own-record.ts";
import { Random } from "../unit/policy/random.ts";
import { fuzzTimeoutMs, seeds } from "./seeds.ts";

/** Ahead of these bytes all is compared with what is so, and any change is the end of it. */
const firstLength = 16;

function mutate(source: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(source);
  for (let rounds = random.int(1, 4); rounds > 0; rounds--) {
    const at = random.int(firstLength, bytes.length - 5);
    const length = random.int(1, Math.min(40, bytes.length - at));
    const kind = random.int(0, 5);
    if (kind === 0) bytes[at] = random.int(0, 255);
    else if (kind === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(0, 7));
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    else if (kind === 4) bytes = bytes.subarray(0, Math.max(at, firstLength + 8));
    else bytes.writeUInt32LE(random.pick([0, 1, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc]), at);
  }
  if (random.chance(0.9)) bytes.writeUInt32LE(bytes.length, 4);
  return bytes;
}

describe("broken records", () => {
  needs("gcc's sanitizers", isSanitized)(
    "are read without harm",
    async () => {
      const { bytes, start } = await ownRecord(makeFolder("fuzz"), []);
      const batch: { seed: number; payload: Buffer }[] = [];
      let asked = 0;
      let refused = 0;
      const ask = async () => {
        const questions = batch.map(({ payload }) => ({ question: "record", payload }) as const);
        const ends = `RAUHA_FUZZ_SEED from ${batch[0]?.seed} to ${batch.at(-1)?.seed}`;
        const answers = await askFront(questions, start).catch((error) => {
          throw new Error(ends, { cause: error });
        });
        asked += answers.length;
        refused += answers.filter(({ length }) => length === 0).length;
        batch.length = 0;
      };
      for (const seed of seeds(3000)) {
        batch.push({ seed, payload: mutate(bytes, new Random(seed)) });
        if (batch.length === 200) await ask();
      }
      if (batch.length > 0) await ask();
      // Most of a record is text, where a change is none of the readers' business.
      if (asked > 1000) expect(refused).toBeWithin(asked / 10, asked);
    },
    fuzzTimeoutMs,
  );
});
