import { zoneAt, zoneBytes } from "../../bpf/layout.gen.ts";
import { type Put, u64, zonePuts } from "../../bpf/zone-entry.ts";
import type { BackendEvent } from "../../run/backend-event.ts";
import type { Diagnostic } from "../../run/diagnostic.ts";
import type { CgroupFacts } from "../../run/host-facts.ts";
import type { LsmRun, OpenLsm } from "../../run/lsm.ts";
import { cgroupPrefix } from "../../run/plan/sections/cgroup.ts";
import type { Policy } from "../../run/policy/policy.ts";
import { errnoName } from "../../run/report/errno.ts";
import { bootNs } from "../boot-clock.ts";
import { canAccess, flag } from "../ffi.ts";
import { levelsOf, makeCgroup, removeCgroup, unifiedMount } from "./cgroup-place.ts";
import { lookup } from "./map-calls.ts";
import { hasGoneNeighbour } from "./neighbours.ts";
import { putAll, removeIfOf, takeBack } from "./puts.ts";
import { type BpfState, openState } from "./state.ts";

const host = { kind: "host", what: "BPF-LSM" } as const;

type AddressPuts = typeof import("../../bpf/address-rules.ts").addressPuts;

/**
 * The BPF-LSM side of one run: the zone's cgroup, and its entries in the pinned maps. Fails closed: what is pinned is used, or nothing runs.
 * Each start of a guarded zone comes by here: what only lists of addresses, denials and the remains of killed runs need is imported for those.
 */
export const openLsm: OpenLsm = async (zoneId, policy, cgroup) => {
  const state = openState();
  if (!("map" in state)) {
    const why = state.foreign ? "are of another version of Rauha" : `can't be opened: ${errnoName(state.errno)}`;
    return refused(`the pinned BPF maps ${why}`, "run `rauha setup` again");
  }
  const mount = unifiedMount();
  const parent = zoneParent(cgroup, mount);
  if (parent === undefined) {
    state.close();
    return refused("no cgroup2 directory can be written, and a zone's cgroup is its identity", "mount cgroup2");
  }
  const addresses = hasLists(policy) ? (await import("../../bpf/address-rules.ts")).addressPuts : undefined;
  return { ok: true, run: lsmRun(state, zoneId, `${parent}/${cgroupPrefix}${zoneId}`, mount, policy, addresses) };
};

function refused(message: string, hint: string): { readonly ok: false; readonly problem: Diagnostic } {
  return { ok: false, problem: { code: "unenforceable", message, origin: host, hint } };
}

/** Where the zone's limits are as well; or, on a host whose controllers are of version 1, any directory: identity needs no controller. */
function zoneParent({ v2 }: CgroupFacts, mount: string): string | undefined {
  if (v2 !== null && canAccess(v2.path, flag.W_OK)) return v2.path;
  return canAccess(mount, flag.W_OK) ? mount : undefined;
}

/** Whether the policy lists addresses for the programs to decide by; mode `filtered` leaves them to its gateway. */
function hasLists({ network }: Policy): boolean {
  if (network.mode === "filtered") return false;
  return network.allowedEgress.length > 0 || network.allowedIngress.length > 0 || network.allowedZones.length > 0;
}

function lsmRun(
  state: BpfState,
  zoneId: string,
  path: string,
  mount: string,
  policy: Policy,
  addresses: AddressPuts | undefined,
): LsmRun {
  let made: { readonly cgroup: bigint; readonly puts: readonly Put[] } | undefined;
  let isNeighbourGone = false;
  const leave = ({ why, hint }: Obstacle): Diagnostic => {
    removeCgroup(path);
    return refused(`the zone can't be entered in the BPF maps: ${why}`, hint).problem;
  };
  const enter = (): Diagnostic | undefined => {
    const cgroup = makeCgroup(path);
    if (typeof cgroup === "number") {
      const message = `the zone's cgroup ${path} can't be made: ${errnoName(-cgroup)}`;
      return refused(message, "`rauha doctor` shows which cgroups can be used").problem;
    }
    const entry = entryOf(zoneId, cgroup, levelsOf(path, mount), policy, addresses);
    if ("why" in entry) return leave(entry);
    const obstacle = putObstacle(state, entry.puts);
    if (obstacle !== undefined) return leave(obstacle);
    made = { cgroup, puts: entry.puts };
    return undefined;
  };
  const prepare: LsmRun["prepare"] = (inputs) => {
    const problem = enter();
    return problem === undefined ? { ok: true, inputs, warnings: [] } : { ok: false, diagnostics: [problem] };
  };
  const meanwhile = () => {
    if (made !== undefined) isNeighbourGone = hasGoneNeighbour(state, made.cgroup, mount);
  };
  const end = async (): Promise<readonly BackendEvent[]> => {
    if (made === undefined) return [];
    const { cgroup, puts } = made;
    made = undefined;
    // The launcher has removed it, unless it never came to that.
    removeCgroup(path);
    const zone = new DataView(new ArrayBuffer(zoneBytes));
    if (lookup(state.map("rauha_zones"), u64(cgroup), new Uint8Array(zone.buffer)) < 0) return [];
    const wasDenied = zone.getUint32(zoneAt.denials, true) > 0;
    const events = wasDenied ? await takeDenials(state, cgroup) : [];
    if (isNeighbourGone) (await import("./sweep.ts")).sweepNeighbours(state, cgroup, mount);
    removeIfOf(state, "rauha_devices", zone.getUint32(zoneAt.root_device, true), cgroup);
    removeIfOf(state, "rauha_mounts", zone.getUint32(zoneAt.mount_ns, true), cgroup);
    takeBack(state, puts);
    return events;
  };
  // Nothing ran: nothing was denied, and the programs noted nothing.
  const undo = () => {
    if (made === undefined) return;
    removeCgroup(path);
    takeBack(state, made.puts);
    made = undefined;
  };
  return { cgroup: path, prepare, meanwhile, end, undo };
}

/** Why a zone can't be entered, and what helps. */
interface Obstacle {
  readonly why: string;
  readonly hint: string;
}

const stateHint = "`rauha doctor` shows the state of the maps";

function entryOf(
  id: string,
  cgroup: bigint,
  levels: readonly number[],
  policy: Policy,
  addresses: AddressPuts | undefined,
): { readonly puts: readonly Put[] } | Obstacle {
  if (levels.length === 0)
    return { why: "its cgroup lies too deep", hint: "start rauha from a cgroup that is nearer to the root" };
  const owner = { pid: process.pid, madeNs: bootNs() };
  const entry = { id, name: id, contactName: policy.name, cgroup, levels, policy, createdMs: Date.now(), owner };
  try {
    return { puts: zonePuts({ ...entry, uid: process.geteuid?.() ?? 0 }, addresses?.(policy.network, cgroup)) };
  } catch (error) {
    if (error instanceof RangeError) return { why: error.message, hint: "list less, or ranges that hold more" };
    return { why: String(error), hint: stateHint };
  }
}

function putObstacle(state: BpfState, puts: readonly Put[]): Obstacle | undefined {
  const problem = putAll(state, puts);
  return problem === undefined ? undefined : { why: `${problem.map}: ${errnoName(problem.errno)}`, hint: stateHint };
}

async function takeDenials(state: BpfState, cgroup: bigint): Promise<readonly BackendEvent[]> {
  const { forgetDenials, readZone } = await import("./registry.ts");
  const { denialEvents } = await import("./denials.ts");
  const zone = readZone(state, cgroup);
  if (zone === undefined) return [];
  const events = denialEvents(state, zone);
  forgetDenials(state, zone);
  return events;
}
