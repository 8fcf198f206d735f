import { zoneAt, zoneBytes } from "../../bpf/layout.gen.ts";
import { u64 } from "../../bpf/zone-entry.ts";
import { cgroupLookup } from "./cgroup-place.ts";
import { isMaker } from "./maker.ts";
import { lookup, nextKey } from "./map-calls.ts";
import type { BpfState } from "./state.ts";

/** Zones that one run looks at on its way: a few, at a place of the map that is another one for every run. */
const looksPerRun = 8;

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

/** Whether one of the next zones in the map has no cgroup any more, or no maker: then there is something to sweep (sweep.ts). */
export function hasGoneNeighbour(state: BpfState, from: bigint, mount: string): boolean {
  const neighbours = neighboursOf(state, from, looksPerRun);
  if (neighbours.length === 0) return false;
  const cgroups = cgroupLookup(mount);
  const gone = neighbours.some((id) => !cgroups.exists(id) || !hasMaker(state, id));
  cgroups.close();
  return gone;
}

function hasMaker(state: BpfState, id: bigint): boolean {
  const bytes = new Uint8Array(zoneBytes);
  if (lookup(state.map("rauha_zones"), u64(id), bytes) < 0) return true;
  const zone = new DataView(bytes.buffer);
  return isMaker(zone.getUint32(zoneAt.owner_pid, true), zone.getBigUint64(zoneAt.made_ns, true));
}
