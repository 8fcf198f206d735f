import { readSmallFile } from "../small-file.ts";
import { cgroupLookup } from "./cgroup-place.ts";
import { looksPerRun, neighboursOf } from "./neighbours.ts";
import { forgetZone, readZone } from "./registry.ts";
import type { BpfState } from "./state.ts";

/** Nanoseconds of a clock tick, in which the kernel says when a process was started: USER_HZ is 100 on every machine of ours. */
const tickNs = 10_000_000n;

/** Sweeps among the few zones that one run looks at on its way. */
export function sweepNeighbours(state: BpfState, from: bigint, mount: string): void {
  sweepZones(state, from, mount, looksPerRun);
}

/**
 * Takes zones out of the maps that a killed run left: their cgroup is gone, and so is who made them. A zone whose maker lives is the
 * maker's, who still reads its denials. Looks at `limit` zones that follow `from` in the map, at all when `from` is undefined. Returns how
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
    const zone = cgroups.exists(id) ? undefined : readZone(state, id);
    if (zone === undefined || isMaker(zone.owner_pid, zone.made_ns)) continue;
    forgetZone(state, zone);
    swept++;
  }
  cgroups.close();
  return swept;
}

/** Whether the process that made an entry then still lives: another one that has its pid by now was started later. */
export function isMaker(pid: number, madeNs: bigint): boolean {
  const start = processStart(pid);
  return start !== undefined && start * tickNs <= madeNs;
}

/** When a process was started, in clock ticks since boot, proc(5); undefined for none. */
function processStart(pid: number): bigint | undefined {
  const text = readSmallFile(`/proc/${pid}/stat`, 1024);
  // The command's name, in brackets, may hold anything: fields are counted from the last bracket on.
  const field = text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  return field === undefined ? undefined : BigInt(field);
}
