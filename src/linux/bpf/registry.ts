import { eventsPerZone } from "../../bpf/contract.ts";
import { type Denial, decodeDenial } from "../../bpf/denial.ts";
import { bytesText, decodeRecord, encodeRecord, type MapRecord, recordBytes } from "../../bpf/record.ts";
import { nameKey, type Put, u64 } from "../../bpf/zone-entry.ts";
import { lookup, nextKey, remove } from "./map-calls.ts";
import { removeIfOf, takeBack } from "./puts.ts";
import type { BpfState } from "./state.ts";

/** The registry of zones: entries of the pinned maps. */

/** All keys; a map that others write to meanwhile may show a key twice or leave out a new one. */
export function keysOf(map: number, size: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (let last: Uint8Array | undefined; ; ) {
    const next = new Uint8Array(size);
    if (nextKey(map, last, next) < 0) return keys;
    keys.push(next);
    last = next;
  }
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

/** Takes a zone's denials out of the maps. */
export function forgetDenials(state: BpfState, zone: MapRecord<"zone">): void {
  for (let number = 0; number < Math.min(Number(zone.denials), eventsPerZone); number++)
    remove(state.map("rauha_events"), encodeRecord("event_key", { zone: zone.cgroup, number: BigInt(number) }));
}

/**
 * Takes everything of a zone out of the maps. `puts` are the writes that made it; without them (somebody else's zone, swept) its contacts
 * and addresses are looked for. The zone's record goes last: whoever is killed here leaves what the next sweep finds.
 */
export function forgetZone(state: BpfState, zone: MapRecord<"zone">, puts?: readonly Put[]): void {
  forgetDenials(state, zone);
  removeIfOf(state, "rauha_devices", zone.root_device, zone.cgroup);
  removeIfOf(state, "rauha_mounts", zone.mount_ns, zone.cgroup);
  if (puts !== undefined) {
    takeBack(state, puts);
    return;
  }
  for (const name of new Set([bytesText(zone.id), bytesText(zone.name)])) {
    if (findZone(state, name) === zone.cgroup) remove(state.map("rauha_names"), nameKey(name));
  }
  for (const key of keysOf(state.map("rauha_contact"), recordBytes("contact")))
    if (decodeRecord("contact", key).from === zone.cgroup) remove(state.map("rauha_contact"), key);
  for (const key of keysOf(state.map("rauha_addresses"), recordBytes("address")))
    if (decodeRecord("address", key).zone === zone.cgroup) remove(state.map("rauha_addresses"), key);
  remove(state.map("rauha_policies"), u64(zone.cgroup));
  remove(state.map("rauha_zones"), u64(zone.cgroup));
}
