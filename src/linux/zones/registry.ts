import { pinDirectory } from "../../bpf/pin-directory.ts";
import { errnoName } from "../../run/report/errno.ts";
import type { OpenZoneRegistry, ZoneRegistry } from "../../run/zone-registry.ts";
import { unifiedMount } from "../bpf/cgroup-place.ts";
import { neighboursOf } from "../bpf/neighbours.ts";
import { findZone, readZone } from "../bpf/registry.ts";
import { type BpfState, openState } from "../bpf/state.ts";
import { sweepZones } from "../bpf/sweep.ts";
import { canAccess, flag } from "../ffi.ts";
import { openZoneDirectory } from "./directory.ts";
import { fileRegistry, recordedZone } from "./files.ts";

/** The registry of zones on this host for this caller: the pinned maps where they are, else the runtime directory. */
export const openZoneRegistry: OpenZoneRegistry = () => {
  if (canAccess(pinDirectory, flag.X_OK)) {
    const state = openState();
    if ("map" in state) return mapRegistry(state);
    return { problem: `${pinDirectory}: ${state.foreign ? "of another version of Rauha" : errnoName(state.errno)}` };
  }
  const directory = openZoneDirectory(true);
  return "problem" in directory ? directory : fileRegistry(directory);
};

/** The registry in the pinned maps. */
export function mapRegistry(state: BpfState): ZoneRegistry {
  const read = (cgroup: bigint) => {
    const zone = readZone(state, cgroup);
    return zone === undefined ? undefined : recordedZone(zone);
  };
  return {
    place: pinDirectory,
    list: () => neighboursOf(state, undefined, Number.MAX_SAFE_INTEGER).flatMap((cgroup) => read(cgroup) ?? []),
    find(idOrName) {
      const cgroup = findZone(state, idOrName);
      return cgroup === undefined ? undefined : read(cgroup);
    },
    sweep: () => sweepZones(state, undefined, unifiedMount()),
    close: () => state.close(),
  };
}
