/**
 * Plans of which the most was planned when Rauha was built: by the same sections, for a shipped policy's rules on hosts of one kind. A start
 * runs every function of the planner once, cold; what it decides is the same bytes each time but for names, ids, cgroups, the
 * workspace and the command, and those are planned here as ever.
 *
 * Whatever else a request asks for, or a host lacks, has no ready plan, and is planned whole.
 */

import { isBelow } from "../absolute-path.ts";
import { newDraft, planBoundaries, planFrom } from "./assemble.ts";
import type { PlanInputs } from "./draft.ts";
import type { PieceName, PlacedPiece } from "./piece.ts";
import type { Plan, PlannedGuarantee, PlannedOp } from "./plan.ts";
import { readyPromises, readyZones } from "./ready.gen.ts";
import type { ReadyZone } from "./ready-zone.ts";
import { planOwnFiles } from "./sections/filesystem.ts";
import { planImageRoot } from "./sections/image.ts";
import { planMoreRules } from "./sections/landlock.ts";
import { planIdentity } from "./sections/privileges.ts";
import { planTask } from "./sections/task.ts";
import { planWorkspace } from "./sections/workspace.ts";

/** Stands in `ops` for each op of a piece: of no kind that anybody looks for. */
export const inPiece: PlannedOp = {
  op: { op: "ready" } as unknown as PlannedOp["op"],
  origin: { kind: "zone", what: "ready" },
  intent: "",
};

/** The signal by which images ask their command to end, unless they name another: SIGTERM, as every zone without an image. */
export const readySignal = 15;

/** The Landlock ABI that ready plans speak of, and the oldest one whose rights and scopes are the same. */
export const readyAbi = { named: 7, oldest: 6 } as const;

/** The key of a zone's kind in the table. */
export function readyKey(policyHash: string, arch: string, privileged: boolean, root: "host" | "image"): string {
  return `${policyHash} ${arch} ${privileged ? "root" : "user"} ${root}`;
}

/** Whether there is a plan that is ready, of any kind, for a policy's rules: then the filter that they need is in it. */
export function hasReady(policyHash: string, arch: string): boolean {
  return Object.hasOwn(readyZones, readyKey(policyHash, arch, true, "host"));
}

function keyOf({ policy, facts, request }: PlanInputs): string {
  return readyKey(policy.hash, facts.arch, facts.privileged, request.image === undefined ? "host" : "image");
}

/** The plan that `plan` makes of the same inputs, but for what its pieces hold of `ops` and `guarantees`; undefined where it takes the planner. */
export function planReady(inputs: PlanInputs): Plan | undefined {
  const zone = readyZone(inputs);
  if (zone === undefined) return undefined;
  const draft = newDraft({ ...inputs, filter: { filter: new Uint8Array(), listen: true, profile: "", warnings: [] } });
  const bytes = Uint8Array.fromBase64(zone.bytes);
  const pieces: PlacedPiece[] = [];
  let used = 0;
  const place = (name: PieceName) => {
    const { count, size } = zone[name];
    const at = draft.ops.length;
    pieces.push({ name, at, count, bytes: bytes.subarray(used, used + size), promised: draft.guarantees.length });
    used += size;
    for (let op = 0; op < count; op++) draft.ops.push(inPiece);
  };
  planBoundaries(draft);
  place("root");
  if (inputs.request.image !== undefined) planImageRoot(draft);
  planOwnFiles(draft);
  place("surroundings");
  const from = draft.ops.length;
  planWorkspace(draft);
  const shown = draft.ops.slice(from);
  place("view");
  planIdentity(draft);
  place("locks");
  if (shown.length > 0) planMoreRules(draft, shown, zone.covering);
  place("calls");
  planTask(draft);
  if (draft.problems.length > 0) return undefined;
  return { ...planFrom(draft, { profile: zone.profile, deny: zone.deny }), pieces };
}

/** The guarantees of a plan, with those of its pieces: made when they are asked for, for which there is time once the launcher is at work. */
export function guaranteesOf(plan: Plan, inputs: PlanInputs): readonly PlannedGuarantee[] {
  if (plan.pieces === undefined) return plan.guarantees;
  const promises = readyPromises[keyOf(inputs)];
  if (promises === undefined) return plan.guarantees;
  const all: PlannedGuarantee[] = [];
  let planned = 0;
  for (const { name: piece, at, promised } of plan.pieces) {
    while (planned < promised) all.push(plan.guarantees[planned++] as PlannedGuarantee);
    for (const { name, state, mechanism, ops } of promises[piece])
      all.push({ name, state, mechanism: named(mechanism, inputs.facts.landlockAbi), ops: ops.map((op) => at + op) });
  }
  return [...all, ...plan.guarantees.slice(planned)];
}

/** Mechanisms that speak of Landlock's ABI speak of this host's. */
function named(mechanism: string | null, abi: number): string | null {
  return abi === readyAbi.named || mechanism === null
    ? mechanism
    : mechanism.replace(` ABI ${readyAbi.named}`, ` ABI ${abi}`);
}

function readyZone(inputs: PlanInputs): ReadyZone | undefined {
  const { request, facts, filter, network } = inputs;
  if (filter !== undefined || network !== undefined) return undefined;
  if (!facts.seccomp.ok || !facts.userNamespaces.ok || facts.landlockAbi < readyAbi.oldest) return undefined;
  const { image, user, hostname, timeoutMs, allowDomains, allowEgress, publish, limits, repo } = request;
  // Each of these changes something within a piece.
  const asked: unknown[] = [user, hostname, timeoutMs, request.network, allowDomains, allowEgress, publish];
  const { cpuSeconds, asBytes, fsizeBytes, nofile, coreBytes } = limits;
  asked.push(cpuSeconds, asBytes, fsizeBytes, nofile, coreBytes);
  if (request.view.length > 0 || asked.some((value) => value !== undefined)) return undefined;
  // The rule for all of an image names what is not the image's, a workspace too.
  if (image !== undefined && (image.stopSignal !== readySignal || repo !== undefined)) return undefined;
  const key = keyOf(inputs);
  if (!Object.hasOwn(readyZones, key)) return undefined;
  const zone = readyZones[key];
  const target = repo?.target ?? repo?.path;
  if (target !== undefined && zone?.places.some((place) => isBelow(place, target)) === true) return undefined;
  return zone;
}
