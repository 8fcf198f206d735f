import { mountFlag } from "../contract.ts";
import { addOp, type PlanDraft, zoneOrigin } from "../draft.ts";

/** Ids that a zone of root's has inside: 0 to 65535. */
const rangeSize = 65536;
/**
 * First id of the ranges handed to zones of root's: where systemd's table of ids says "unused", between its containers' range, which
 * ends at 0x6fffffff, and the ids that some programs take for negative. Login ids and /etc/subuid stay far below.
 */
const rangeBase = 0x7000_0000;
const rangeSlots = 0x0fff;

/** All host ids that zones of root's may get: the first, and the first behind them. */
export const hostIds = { first: rangeBase, end: rangeBase + rangeSlots * rangeSize } as const;

/**
 * The host ids behind a zone's ids when root runs it: an unprivileged range picked by the zone's id, so that two zones share
 * ids on the host about never. Root inside is then nobody outside.
 */
export function hostRange(zoneId: string): { readonly base: number; readonly size: number } {
  let hash = 0x811c9dc5;
  for (let i = 0; i < zoneId.length; i++) hash = Math.imul(hash ^ zoneId.charCodeAt(i), 0x01000193) >>> 0;
  return { base: rangeBase + (hash % rangeSlots) * rangeSize, size: rangeSize };
}

/** Who the task is inside: the image's user; without one, 0 in root's zones and the caller's own ids in others. */
export function taskIds(draft: PlanDraft): { readonly uid: number; readonly gid: number } {
  const { request, facts } = draft;
  const fallback = facts.privileged ? { uid: 0, gid: 0 } : { uid: facts.uid, gid: facts.gid };
  if (request.user === undefined) return request.image?.user ?? fallback;
  return { uid: request.user.uid, gid: request.user.gid ?? request.user.uid };
}

/**
 * Id maps of the zone's user namespace. An ordinary user may map one id, his own, and only with setgroups denied
 * (user_namespaces(7)), or by newuidmap those that the administrator gave him; root maps a whole unprivileged range.
 */
export function planIdMaps(draft: PlanDraft): void {
  if (!draft.ownUserNamespace) return;
  const { facts, request } = draft;
  const ids = taskIds(draft);
  const origin = request.user === undefined ? zoneOrigin("id map") : ({ kind: "flag", flag: "--user" } as const);
  if (facts.privileged) {
    const { base, size } = hostRange(request.zoneId);
    const intent = `ids 0 to ${size - 1} inside are ${base} and up on the host`;
    addOp(draft, { op: "uid_map", inside: 0, outside: base, count: size }, origin, intent);
    addOp(draft, { op: "gid_map", inside: 0, outside: base, count: size }, origin, intent);
    return;
  }
  if (request.ids !== undefined) {
    draft.ops.push(...request.ids);
    return;
  }
  if (facts.uid === 0) {
    const message = "root here may not map other ids: root inside is this root outside, without its capabilities";
    draft.warnings.push({ code: "unenforceable", message, origin: { kind: "host", what: "id maps" } });
  }
  addOp(draft, { op: "setgroups_deny" }, origin, "supplementary groups can't be changed");
  const intent = (inside: number, outside: number) => `id ${inside} inside is the caller's ${outside}`;
  addOp(draft, { op: "uid_map", inside: ids.uid, outside: facts.uid, count: 1 }, origin, intent(ids.uid, facts.uid));
  addOp(draft, { op: "gid_map", inside: ids.gid, outside: facts.gid, count: 1 }, origin, intent(ids.gid, facts.gid));
}

/**
 * Ids of a bind when root runs the zone: the files of the host's root belong to root inside, by an idmapped mount. A writable bind
 * that can't be idmapped is refused (the task could not write it, or worse, would write as an id that means something outside); a
 * read-only one falls back to plain ids, where the host's files show as nobody's.
 */
export function idmapFlags(draft: PlanDraft, readOnly: boolean): number {
  if (!draft.facts.privileged || !draft.ownUserNamespace) return 0;
  return mountFlag.idmap | (readOnly ? mountFlag.idmapOptional : 0);
}
