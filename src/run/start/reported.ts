import { reportRecords } from "../plan/contract.ts";
import type { Report } from "../report/report.ts";

const headerBytes = 8;

/**
 * The records that each run of a plan has alike, as they travel: what the launcher passed over, and what the self-test tried. They come before
 * `started`, but for control files that are not there: those show when the zone has ended.
 */
export function recordsOfEachRun({ skipped, verified }: Report): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (const { op, errno, step } of skipped) {
    const words = new TextEncoder().encode(step);
    const record = opened(reportRecords.skipped.id, 12 + words.length + 1);
    const view = new DataView(record.buffer);
    view.setUint32(headerBytes, op, true);
    view.setUint32(headerBytes + 4, errno, true);
    view.setUint32(headerBytes + 8, words.length, true);
    record.set(words, headerBytes + 12);
    records.push(record);
  }
  if (verified === 0) return records;
  const record = opened(reportRecords.verified.id, 4);
  new DataView(record.buffer).setUint32(headerBytes, verified, true);
  return [...records, record];
}

/** A record with its header and nothing else. */
function opened(id: number, payload: number): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(headerBytes + payload);
  const view = new DataView(record.buffer);
  view.setUint32(0, id, true);
  view.setUint32(4, payload, true);
  return record;
}
