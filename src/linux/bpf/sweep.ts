import { cgroupLookup } from "./cgroup-place.ts";
import { isMaker } from "./maker.ts";
import { neighboursOf } from "./neighbours.ts";
import { forgetZone, readZone } from "./registry.ts";
import type { BpfState } from "./state.ts";

/** Zones that a run looks at once it has found one that is gone: what is killed is mostly not killed alone. */
const looksWhenOneIsGone = 256;

/** Sweeps what a run found on its way. */
export function sweepNeighbours(state: BpfState, from: bigint, mount: string): void {
  sweepZones(state, from, mount, looksWhenOneIsGone);
}

/**
 * Takes zones out of the maps that a killed run left: who made them is gone, and so is their cgroup, or it is empty and goes now. A zone whose
 * maker lives is the maker's, who still reads its denials. Looks at `limit` zones that follow `from` in the map, at all when `from` is undefined. Returns how
 * many were taken out.
 */
export function sweepZones(
  state: BpfState,
  from: bigint | undefined,
  mount: string,
  limit = Number.MAX_SAFE_INTEGER,
): number {
  const cgroups = cgroupLookup(mount);
  let swept = 0;
  for (const id of neighboursOf(state, from, limit)) {
    const zone = readZone(state, id);
    if (zone === undefined || isMaker(zone.owner_pid, zone.made_ns)) continue;
    if (cgroups.exists(id) && !cgroups.remove(id)) continue;
    forgetZone(state, zone);
    swept++;
  }
  cgroups.close();
  return swept;
}
