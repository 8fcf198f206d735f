import { byteString } from "./header.ts";
import { LayerRefusal } from "./refusal.ts";

/** Records of an extended header in their order: a key may come more than once (old sparse maps). pax(1), "pax Header Block". */
export type PaxRecords = readonly (readonly [key: string, value: Uint8Array])[];

/** Reads `LENGTH KEY=VALUE\n` records; values are bytes and may hold anything. Refuses whatever is not exactly of that form. */
export function decodePax(bytes: Uint8Array, entry: string): PaxRecords {
  const records: [string, Uint8Array][] = [];
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at);
    const digits = blank < 0 || blank - at > 8 ? "" : byteString(bytes.subarray(at, blank));
    const end = at + (/^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0);
    const equals = blank < 0 ? -1 : bytes.indexOf(61, blank);
    if (end > bytes.length || equals <= blank + 1 || equals >= end || bytes[end - 1] !== 10)
      throw new LayerRefusal("its extended header is malformed", entry);
    records.push([byteString(bytes.subarray(blank + 1, equals)), bytes.slice(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** A whole, unsigned decimal number. */
export function paxNumber(value: Uint8Array, key: string, entry: string): number {
  const digits = byteString(value);
  const result = /^[0-9]{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(result)) throw new LayerRefusal(`its ${key} is no number or out of range`, entry);
  return result;
}

/** Seconds with a fraction, as nanoseconds. */
export function paxTime(value: Uint8Array, key: string, entry: string): bigint {
  const found = /^(-?)([0-9]{1,12})(?:\.([0-9]*))?$/.exec(byteString(value));
  if (found === null) throw new LayerRefusal(`its ${key} is no time`, entry);
  const fraction = BigInt((found[3] ?? "").slice(0, 9).padEnd(9, "0"));
  const time = BigInt(found[2] ?? "0") * 1_000_000_000n + fraction;
  return found[1] === "-" ? -time : time;
}
