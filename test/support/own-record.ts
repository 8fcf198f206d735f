/** The record of a start of the tests' own, as rauha made it. */

import { hostRange } from "../../src/run/plan/sections/identity.ts";
import { fillPlan } from "../../src/run/start/fill.ts";
import { decodeRecord } from "../unit/start/decode-record.ts";
import { isRoot } from "./identity.ts";
import { rauha } from "./rauha.ts";
import { keyOfStart, readSegment, segmentOf } from "./segments.ts";
import { words } from "./starts.ts";

export interface OwnRecord {
  readonly bytes: Buffer;
  /** The start that it is of, for the front's harness. */
  readonly start: {
    readonly build: string;
    readonly zoneId: string;
    readonly cwd: string;
    readonly options: readonly string[];
    readonly command: readonly string[];
  };
  /** What is planned for it, in JavaScript's opinion. */
  readonly plan: Uint8Array;
}

/** Makes the record of `true` with these options, and fills it in for another command. */
export async function ownRecord(cwd: string, options: readonly string[]): Promise<OwnRecord> {
  const key = keyOfStart(options, undefined, cwd);
  for (let tries = 0; tries < 5; tries++) {
    await rauha(words(options, ["true"]), { cwd });
    const segment = segmentOf(key);
    const bytes = segment === undefined ? Buffer.alloc(0) : Buffer.from(readSegment(segment));
    if (bytes.length === 0) continue;
    const record = decodeRecord(bytes);
    if (record.cwd !== cwd || record.options.join("\0") !== options.join("\0")) continue;
    const zoneId = `zone_${"0123456789".repeat(2)}`;
    const command = ["sh", "-c", "echo ä\n", "", "x".repeat(5000)];
    const firstId = isRoot ? hostRange(zoneId).base : undefined;
    const build = record.build.toString(16).padStart(16, "0");
    const plan = fillPlan(record, zoneId, firstId, command);
    return { bytes, start: { build, zoneId, cwd, options, command }, plan };
  }
  throw new Error(`${options.join(" ")} is not remembered`);
}
