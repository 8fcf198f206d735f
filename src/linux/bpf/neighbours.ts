import { u64 } from "../../bpf/zone-entry.ts";
import { cgroupLookup } from "./cgroup-place.ts";
import { nextKey } from "./map-calls.ts";
import type { BpfState } from "./state.ts";

/** Zones that one run looks at on its way: a few, at a place of the map that is another one for every run. */
export const looksPerRun = 8;

/** Cgroups of zones that follow `from` in the map, whose order is by a hash, and once from its beginning on; all, when `from` is undefined. */
export function neighboursOf(state: BpfState, from: bigint | undefined, limit: number): bigint[] {
  const map = state.map("rauha_zones");
  const found: bigint[] = [];
  let last = from === undefined ? undefined : u64(from);
  let wrapped = from === undefined;
  while (found.length < limit) {
    const next = new BigUint64Array(1);
    const bytes = new Uint8Array(next.buffer);
    if (nextKey(map, last, bytes) >= 0) {
      const [id = 0n] = next;
      if (id === from) break;
      found.push(id);
      last = bytes;
    } else {
      if (wrapped) break;
      wrapped = true;
      last = undefined;
    }
  }
  return found;
}

/** Whether one of the next zones in the map has no cgroup any more: then there is something to sweep (sweep.ts). */
export function hasGoneNeighbour(state: BpfState, from: bigint, mount: string): boolean {
  const neighbours = neighboursOf(state, from, looksPerRun);
  if (neighbours.length === 0) return false;
  const cgroups = cgroupLookup(mount);
  const gone = neighbours.some((id) => !cgroups.exists(id));
  cgroups.close();
  return gone;
}
