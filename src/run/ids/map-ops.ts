import type { PlannedOp } from "../plan/plan.ts";
import type { IdLine, ZoneIds } from "./zone-ids.ts";

/** The ops that map subordinate ids. Made outside of the planner, which the hot path loads. */
export function idMapOps({ uid, gid, newuidmap, newgidmap }: ZoneIds): PlannedOp[] {
  const origin = { kind: "host", what: "subordinate ids" } as const;
  return [
    ...uid.map((line) => ({ op: { op: "uid_map", ...line }, origin, intent: words("uid", line) }) as const),
    ...gid.map((line) => ({ op: { op: "gid_map", ...line }, origin, intent: words("gid", line) }) as const),
    { op: { op: "id_helpers", newuidmap, newgidmap }, origin, intent: "newuidmap and newgidmap write these maps" },
  ];
}

function words(kind: string, { inside, outside, count }: IdLine): string {
  if (count === 1) return `${kind} ${inside} inside is ${outside} on the host`;
  return `${kind}s ${inside} to ${inside + count - 1} inside are ${outside} and up on the host`;
}
