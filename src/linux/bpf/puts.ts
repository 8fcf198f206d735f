import type { MapName } from "../../bpf/contract.ts";
import { type Put, u32 } from "../../bpf/zone-entry.ts";
import { lookup, remove, update } from "./map-calls.ts";
import type { BpfState } from "./state.ts";

/** A write that did not work. */
export interface PutProblem {
  readonly map: MapName;
  readonly errno: number;
}

/** Makes the writes; when one fails, takes back those before it. */
export function putAll(state: BpfState, puts: readonly Put[]): PutProblem | undefined {
  for (let index = 0; index < puts.length; index++) {
    const { map, key, value, exclusive } = puts[index] as Put;
    const fd = state.map(map);
    const failure = fd < 0 ? fd : update(fd, key, value, exclusive);
    if (failure < 0) {
      takeBack(state, puts.slice(0, index));
      return { map, errno: -failure };
    }
  }
  return undefined;
}

/** Removes what these writes made; levels are shared by all zones and stay. The last write goes first: the zone itself goes last. */
export function takeBack(state: BpfState, puts: readonly Put[]): void {
  for (let index = puts.length - 1; index >= 0; index--) {
    const { map, key } = puts[index] as Put;
    if (map !== "rauha_levels") remove(state.map(map), key);
  }
}

/** Numbers of devices and namespaces are given out again: only what is still noted as this zone's goes. */
export function removeIfOf(
  state: BpfState,
  map: "rauha_devices" | "rauha_mounts",
  number: number,
  cgroup: bigint,
): void {
  const value = new BigUint64Array(1);
  if (number === 0 || lookup(state.map(map), u32(number), new Uint8Array(value.buffer)) < 0) return;
  if (value[0] === cgroup) remove(state.map(map), u32(number));
}
