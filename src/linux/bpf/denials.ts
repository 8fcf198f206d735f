import { describeDenial } from "../../bpf/describe.ts";
import { bytesText, type MapRecord } from "../../bpf/record.ts";
import type { BackendEvent } from "../../run/backend-event.ts";
import { bootNs } from "../boot-clock.ts";
import { readDenials, readZone } from "./registry.ts";
import type { BpfState } from "./state.ts";

/** What was denied in a zone, as events, oldest first; the last one says how many more there were. */
export function denialEvents(state: BpfState, zone: MapRecord<"zone">): BackendEvent[] {
  const { denials, more } = readDenials(state, zone);
  const sinceBoot = Date.now() - Number(bootNs()) / 1e6;
  const names = new Map<bigint, string | null>([[0n, null]]);
  const nameOf = (cgroup: bigint) => {
    const known = names.get(cgroup);
    if (known !== undefined) return known;
    const other = readZone(state, cgroup);
    const name = other === undefined ? null : bytesText(other.id);
    names.set(cgroup, name);
    return name;
  };
  const events = denials.map(
    (denial): BackendEvent => ({
      at: Math.round(sinceBoot + Number(denial.bootNs / 1000n) / 1000),
      record: "lsm_denied",
      targetZone: nameOf(denial.target),
      ...describeDenial(denial),
    }),
  );
  return more > 0 ? [...events, { at: Date.now(), record: "lsm_dropped", count: more }] : events;
}
