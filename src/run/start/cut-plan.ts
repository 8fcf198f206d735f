import { planHeaderBytes, planOps } from "../plan/contract.ts";

/** A plan, cut where the next one of the same options differs: the zone's names, and the command. */
export interface CutPlan {
  /** Of all, with `exec`. */
  readonly ops: number;
  /** All ops but `exec`, as they travel. */
  readonly before: Uint8Array;
  /** Where in them the zone's id stands. */
  readonly zoneIds: readonly number[];
  /** Where in them the first of its host ids stands. */
  readonly firstIds: readonly number[];
  /** Arguments before the command's. */
  readonly entrypoint: readonly string[];
  /** Of `exec`, as it travels. */
  readonly environment: Uint8Array;
}

/** What a zone is called, and what it would be the same plan without. */
export interface ZoneNames {
  readonly taskId: string;
  readonly zoneId: string;
  /** The first of its host ids, where it has a range of its own. */
  readonly firstId: number | undefined;
}

const opHeaderBytes = 8;
/** Where a line of an id map has its id outside. */
const outsideAt = 4;

/** Cuts an encoded plan whose command's first `entrypoint` arguments are not the caller's; undefined where it is not to be cut like that. */
export function cutPlan(plan: Uint8Array, names: ZoneNames, entrypoint: number): CutPlan | undefined {
  const view = new DataView(plan.buffer, plan.byteOffset, plan.byteLength);
  const firstIds: number[] = [];
  let ops = 0;
  let last = planHeaderBytes;
  for (let at = planHeaderBytes; at < plan.length; ops++) {
    const id = view.getUint32(at, true);
    const outside = at + opHeaderBytes + outsideAt;
    const isMap = id === planOps.uid_map.id || id === planOps.gid_map.id;
    if (isMap && names.firstId !== undefined && view.getUint32(outside, true) === names.firstId)
      firstIds.push(outside - planHeaderBytes);
    last = at;
    at += opHeaderBytes + view.getUint32(at + 4, true);
  }
  if (ops === 0 || view.getUint32(last, true) !== planOps.exec.id) return undefined;
  const before = plan.slice(planHeaderBytes, last);
  const exec = execOf(plan.subarray(last + opHeaderBytes), entrypoint);
  const zoneIds = placesOf(before, names.zoneId);
  // A name at a place that is not filled in would be that of a zone that is gone.
  const stale = [placesOf(plan, names.taskId), placesOf(exec.environment, names.zoneId)];
  if (stale.some((places) => places.length > 0)) return undefined;
  return { ops, before, zoneIds, firstIds, ...exec };
}

/** The fields of an `exec`: the first arguments, and the environment as it is. */
function execOf(payload: Uint8Array, entrypoint: number): Pick<CutPlan, "entrypoint" | "environment"> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const first: string[] = [];
  let at = 4;
  for (let left = view.getUint32(0, true); left > 0; left--) {
    const length = view.getUint32(at, true);
    if (first.length < entrypoint) first.push(decoder.decode(payload.subarray(at + 4, at + 4 + length)));
    at += length + 5;
  }
  return { entrypoint: first, environment: payload.slice(at) };
}

/** Where these letters stand. */
function placesOf(bytes: Uint8Array, letters: string): number[] {
  const text = new TextDecoder("latin1").decode(bytes);
  const places: number[] = [];
  for (let at = text.indexOf(letters); at >= 0; at = text.indexOf(letters, at + letters.length)) places.push(at);
  return places;
}
