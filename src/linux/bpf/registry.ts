import { eventsPerZone, type MapName } from "../../bpf/contract.ts";
import { type Denial, decodeDenial } from "../../bpf/denial.ts";
import { bytesText, decodeRecord, encodeRecord, type MapRecord, recordBytes } from "../../bpf/record.ts";
import { nameKey, type Put, u32, u64 } from "../../bpf/zone-entry.ts";
import { keysOf, lookup, remove, update } from "./map-calls.ts";
import type { BpfState } from "./state.ts";

/** The registry of zones: entries of the pinned maps. */

/** A write that did not work. */
export interface PutProblem {
  readonly map: MapName;
  readonly errno: number;
}

/** Makes the writes; when one fails, takes back those before it. */
export function putAll(state: BpfState, puts: readonly Put[]): PutProblem | undefined {
  for (const [index, { map, key, value, exclusive }] of puts.entries()) {
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
function takeBack(state: BpfState, puts: readonly Put[]): void {
  for (const { map, key } of puts.toReversed()) if (map !== "rauha_levels") remove(state.map(map), key);
}

/** A zone's record, by its cgroup. */
export function readZone(state: BpfState, cgroup: bigint): MapRecord<"zone"> | undefined {
  const bytes = new Uint8Array(recordBytes("zone"));
  return lookup(state.map("rauha_zones"), u64(cgroup), bytes) < 0 ? undefined : decodeRecord("zone", bytes);
}

/** The cgroup of the zone with this id or name. */
export function findZone(state: BpfState, idOrName: string): bigint | undefined {
  const value = new Uint8Array(8);
  return lookup(state.map("rauha_names"), nameKey(idOrName), value) < 0
    ? undefined
    : new DataView(value.buffer).getBigUint64(0, true);
}

/** What was denied in a zone, oldest first, and how many more denials were only counted. */
export function readDenials(
  state: BpfState,
  zone: MapRecord<"zone">,
): { readonly denials: readonly Denial[]; readonly more: number } {
  const bytes = new Uint8Array(recordBytes("event"));
  const denials: Denial[] = [];
  const total = Number(zone.denials);
  for (let number = 0; number < Math.min(total, eventsPerZone); number++) {
    const key = encodeRecord("event_key", { zone: zone.cgroup, number: BigInt(number) });
    const denial = lookup(state.map("rauha_events"), key, bytes) < 0 ? undefined : decodeDenial(bytes);
    if (denial !== undefined) denials.push(denial);
  }
  return { denials, more: total - denials.length };
}

/**
 * Takes everything of a zone out of the maps. `puts` are the writes that made it; without them (somebody else's zone, swept) its contacts
 * and addresses are looked for. The zone's record goes last: whoever is killed here leaves what the next sweep finds.
 */
export function forgetZone(state: BpfState, zone: MapRecord<"zone">, puts?: readonly Put[]): void {
  const events = state.map("rauha_events");
  for (let number = 0; number < Math.min(Number(zone.denials), eventsPerZone); number++)
    remove(events, encodeRecord("event_key", { zone: zone.cgroup, number: BigInt(number) }));
  removeIfOf(state, "rauha_devices", zone.root_device, zone.cgroup);
  removeIfOf(state, "rauha_mounts", zone.mount_ns, zone.cgroup);
  if (puts !== undefined) {
    takeBack(state, puts);
    return;
  }
  for (const name of new Set([bytesText(zone.id), bytesText(zone.name)])) {
    if (findZone(state, name) === zone.cgroup) remove(state.map("rauha_names"), nameKey(name));
  }
  for (const key of keysOf(state.map("rauha_contact"), recordBytes("contact"), Number.MAX_SAFE_INTEGER))
    if (decodeRecord("contact", key).from === zone.cgroup) remove(state.map("rauha_contact"), key);
  for (const key of keysOf(state.map("rauha_addresses"), recordBytes("address"), Number.MAX_SAFE_INTEGER))
    if (decodeRecord("address", key).zone === zone.cgroup) remove(state.map("rauha_addresses"), key);
  remove(state.map("rauha_policies"), u64(zone.cgroup));
  remove(state.map("rauha_zones"), u64(zone.cgroup));
}

/** Numbers of devices and namespaces are given out again: only what is still noted as this zone's goes. */
function removeIfOf(state: BpfState, map: "rauha_devices" | "rauha_mounts", number: number, cgroup: bigint): void {
  const value = new Uint8Array(8);
  if (number === 0 || lookup(state.map(map), u32(number), value) < 0) return;
  if (new DataView(value.buffer).getBigUint64(0, true) === cgroup) remove(state.map(map), u32(number));
}
