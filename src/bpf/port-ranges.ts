import { portRanges } from "./contract.ts";
import { recordBytes } from "./record.ts";

/** Ports from the first to the last, both included. */
export type PortRange = readonly [first: number, last: number];

/** The same ports in as few ranges as can be, in their order. */
export function mergePorts(ranges: readonly PortRange[]): PortRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((one, other) => one[0] - other[0])) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** The record of these ports, in the order that `mergePorts` gives. Throws where they are more than a record holds: nothing is rounded. */
export function portsRecord(ranges: readonly PortRange[], network: string): Uint8Array {
  if (ranges.length > portRanges)
    throw new RangeError(
      `the ports listed for ${network} come to ${ranges.length} ranges, and BPF-LSM takes at most ${portRanges}`,
    );
  const bytes = new Uint8Array(recordBytes("ports"));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ranges.length, true);
  for (const [index, [first, last]] of ranges.entries()) {
    view.setUint16(8 + 4 * index, first, true);
    view.setUint16(10 + 4 * index, last, true);
  }
  return bytes;
}
