import { describeDenial } from "../../bpf/describe.ts";
import { bytesText } from "../../bpf/record.ts";
import { type Put, zonePuts } from "../../bpf/zone-entry.ts";
import type { BackendEvent } from "../../run/backend-event.ts";
import type { Diagnostic } from "../../run/diagnostic.ts";
import type { CgroupFacts } from "../../run/host-facts.ts";
import type { LsmRun, OpenLsm } from "../../run/lsm.ts";
import { cgroupPrefix } from "../../run/plan/sections/cgroup.ts";
import type { NetworkMode, Policy } from "../../run/policy/policy.ts";
import { errnoName } from "../../run/report/errno.ts";
import { addressOf, canAccess, flag, systemCall } from "../ffi.ts";
import { call } from "../system-calls.ts";
import { levelsOf, makeCgroup, removeCgroup, unifiedMount } from "./cgroup-place.ts";
import { forgetZone, putAll, readDenials, readZone } from "./registry.ts";
import { type BpfState, openState } from "./state.ts";
import { processStart, sweepZones } from "./sweep.ts";

const host = { kind: "host", what: "BPF-LSM" } as const;

/** The BPF-LSM side of one run: the zone's cgroup, and its entries in the pinned maps. Fails closed: what is pinned is used, or nothing runs. */
export const openLsm: OpenLsm = ({ zoneId, network }, cgroup) => {
  const state = openState();
  if (!("map" in state)) {
    const why = state.foreign ? "are of another version of Rauha" : `can't be opened: ${errnoName(state.errno)}`;
    return refused(`the pinned BPF maps ${why}`, "run `rauha setup` again");
  }
  const parent = zoneParent(cgroup);
  if (parent === undefined) {
    state.close();
    return refused("no cgroup2 directory can be written, and a zone's cgroup is its identity", "mount cgroup2");
  }
  return { ok: true, run: lsmRun(state, zoneId, `${parent}/${cgroupPrefix}${zoneId}`, network) };
};

function refused(message: string, hint: string): { readonly ok: false; readonly problem: Diagnostic } {
  return { ok: false, problem: { code: "unenforceable", message, origin: host, hint } };
}

/** Where the zone's limits are as well; or, on a host whose controllers are of version 1, any directory: identity needs no controller. */
function zoneParent({ v2 }: CgroupFacts): string | undefined {
  const mount = unifiedMount();
  return [v2?.path, mount].find((path) => path !== undefined && canAccess(path, flag.W_OK));
}

function lsmRun(state: BpfState, zoneId: string, path: string, network: NetworkMode | undefined): LsmRun {
  let made: { readonly cgroup: bigint; readonly puts: readonly Put[] } | undefined;
  const mount = unifiedMount();
  const prepare: LsmRun["prepare"] = (inputs) => {
    const problem = enter(inputs.policy, inputs.network?.reach);
    return problem === undefined ? { ok: true, inputs, warnings: [] } : { ok: false, diagnostics: [problem] };
  };
  // `reach` stands for the policy's `allowed_egress` where the network mode knows better what the zone may send to.
  const enter = (policy: Policy, reach: readonly string[] | undefined): Diagnostic | undefined => {
    const cgroup = makeCgroup(path);
    if (typeof cgroup === "number") return refused(`${path} can't be made: ${errnoName(-cgroup)}`, "").problem;
    const levels = levelsOf(path, mount);
    const mode = network ?? policy.network.mode;
    const allowedEgress = reach ?? policy.network.allowedEgress;
    const meant = { ...policy, network: { ...policy.network, mode, allowedEgress } };
    const puts = levels.length > 0 ? entryOf(zoneId, cgroup, levels, meant) : `${path} lies too deep`;
    const problem = typeof puts === "string" ? puts : putProblem(state, puts);
    if (typeof puts === "string" || problem !== undefined) {
      removeCgroup(path);
      return refused(`the zone can't be entered in the BPF maps: ${problem}`, "`rauha doctor` shows their state")
        .problem;
    }
    made = { cgroup, puts };
    return undefined;
  };
  const end = (): readonly BackendEvent[] => {
    if (made === undefined) return [];
    const { cgroup, puts } = made;
    made = undefined;
    // The launcher has removed it, unless it never came to that.
    removeCgroup(path);
    const zone = readZone(state, cgroup);
    if (zone === undefined) return [];
    const events = denialEvents(state, zone);
    sweepZones(state, cgroup, mount);
    forgetZone(state, zone, puts);
    return events;
  };
  return { cgroup: path, prepare, end, undo: end };
}

function entryOf(id: string, cgroup: bigint, levels: readonly number[], policy: Policy): Put[] | string {
  const start = processStart("self");
  if (start === undefined) return "/proc/self/stat can't be read";
  const owner = { pid: process.pid, start };
  const uid = process.geteuid?.() ?? 0;
  try {
    return zonePuts({
      id,
      name: id,
      contactName: policy.name,
      cgroup,
      levels,
      policy,
      createdMs: Date.now(),
      owner,
      uid,
    });
  } catch (error) {
    return error instanceof RangeError ? error.message : String(error);
  }
}

function putProblem(state: BpfState, puts: readonly Put[]): string | undefined {
  const problem = putAll(state, puts);
  return problem === undefined ? undefined : `${problem.map}: ${errnoName(problem.errno)}`;
}

function denialEvents(state: BpfState, zone: NonNullable<ReturnType<typeof readZone>>): BackendEvent[] {
  const { denials, more } = readDenials(state, zone);
  const sinceBoot = Date.now() - bootMs();
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

/** CLOCK_BOOTTIME in ms. */
function bootMs(): number {
  const CLOCK_BOOTTIME = 7;
  const time = new BigInt64Array(2);
  systemCall(call.clock_gettime, CLOCK_BOOTTIME, addressOf(time));
  return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
}
