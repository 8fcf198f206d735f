import { u64 } from "../../bpf/zone-entry.ts";
import { readSmallFile } from "../small-file.ts";
import { type CgroupLookup, cgroupLookup } from "./cgroup-place.ts";
import { nextKey } from "./map-calls.ts";
import { forgetZone, readZone } from "./registry.ts";
import type { BpfState } from "./state.ts";

/** Zones that one run looks at on its way: a few, at a place of the map that is another one for every run. */
const looksPerRun = 8;

/**
 * Takes zones out of the maps that a killed run left: their cgroup is gone, and so is who made them. A zone whose maker lives is the
 * maker's, who still reads its denials. Looks at the `limit` zones that follow `from` in the map, whose order is by a hash; once at most
 * goes on from the map's beginning. Returns how many were taken out.
 */
export function sweepZones(state: BpfState, from: bigint, mount: string, limit = looksPerRun): number {
  const cgroups = cgroupLookup(mount);
  const map = state.map("rauha_zones");
  let swept = 0;
  let last: Uint8Array | undefined = u64(from);
  let wrapped = false;
  for (let looked = 0; looked < limit; ) {
    const next: Uint8Array = new Uint8Array(8);
    if (nextKey(map, last, next) < 0) {
      if (wrapped) break;
      wrapped = true;
      last = undefined;
      continue;
    }
    looked++;
    const id = new DataView(next.buffer).getBigUint64(0, true);
    if (id === from) break;
    // After one that is gone the map is asked again from where it was.
    if (isOrphan(state, cgroups, id)) swept++;
    else last = next;
  }
  cgroups.close();
  return swept;
}

/** Whether nobody is left of a zone; then it is taken out. */
function isOrphan(state: BpfState, cgroups: CgroupLookup, id: bigint): boolean {
  if (cgroups.exists(id)) return false;
  const zone = readZone(state, id);
  if (zone === undefined || processStart(zone.owner_pid) === zone.owner_start) return false;
  forgetZone(state, zone);
  return true;
}

/** When a process was started, in clock ticks since boot, proc(5); undefined for none. */
export function processStart(pid: number | "self"): bigint | undefined {
  const text = readSmallFile(`/proc/${pid}/stat`, 1024);
  // The command's name, in brackets, may hold anything: fields are counted from the last bracket on.
  const field = text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  return field === undefined ? undefined : BigInt(field);
}
