import type { CgroupFacts } from "../../host-facts.ts";
import { cgroupKind } from "../contract.ts";
import { addOp, keep, notRequested, type PlanDraft, refuse, zoneOrigin } from "../draft.ts";
import type { GuaranteeName } from "../plan.ts";
import { rlimit, type Wanted, wanted } from "./limits.ts";

/** Prefix of every cgroup directory that Rauha makes; the sweep of abandoned ones goes by it. */
export const cgroupPrefix = "rauha-";
/** An empty directory older than this belongs to no zone that is just starting. */
const sweepAgeSeconds = 30;
/** How often init looks at the zone's memory where no cgroup does. */
const watchIntervalMs = 50;
/** Processes of a zone that are not the task's: its init. */
export const ownProcesses = 1;
const cpuPeriodUs = 100_000;
/** PID_MAX_LIMIT of 64-bit kernels: pids.max takes no greater number. */
const pidMaxLimit = 4_194_304;

type Controller = "memory" | "pids" | "cpu" | "io";

interface CgroupLimits {
  readonly memory: Wanted | null;
  readonly pids: Wanted | null;
  readonly cpus: Wanted | null;
  readonly shares: Wanted | null;
  readonly io: Wanted | null;
}

/**
 * Limits of the zone as a whole. The unified hierarchy first; version 1 controllers where v2 lacks them; for memory and processes
 * rlimits and a watcher where there is no cgroup at all, which `guarantees` then says. Anything else that can't be enforced is refused.
 */
export function planCgroup(draft: PlanDraft): void {
  const { policy, request, facts } = draft;
  const { resources } = policy;
  const limits: CgroupLimits = {
    memory: wanted(draft, "--memory", request.limits.memoryBytes, "resources.memory_limit", resources.memoryLimitBytes),
    pids: wanted(draft, "--pids", request.limits.pids, "resources.pids_max", resources.pidsMax),
    cpus: wanted(draft, "--cpus", request.limits.cpus, "resources.cpus", resources.cpus),
    shares: wanted(draft, "", undefined, "resources.cpu_shares", resources.cpuShares),
    io: wanted(draft, "", undefined, "resources.io_weight", resources.ioWeight),
  };
  planUnified(draft, limits, facts.cgroup);
  planVersion1(draft, limits, facts.cgroup);
  planWithout(draft, limits, facts.cgroup);
}

function onUnified(cgroup: CgroupFacts, controller: Controller): boolean {
  return cgroup.v2?.controllers.includes(controller) ?? false;
}

function onVersion1(cgroup: CgroupFacts, controller: Controller): string | undefined {
  return controller === "io" || onUnified(cgroup, controller) ? undefined : cgroup.v1[controller];
}

function planUnified(draft: PlanDraft, limits: CgroupLimits, cgroup: CgroupFacts): void {
  if (cgroup.v2 === null || !(["memory", "pids", "cpu", "io"] as const).some((name) => onUnified(cgroup, name))) return;
  const { memory, pids, cpus, shares, io } = limits;
  makeCgroup(draft, cgroup.v2.path, draft.lsm === undefined ? cgroupKind.v2 : cgroupKind.v2Given);
  if (memory !== null && onUnified(cgroup, "memory")) {
    const op = set(draft, "memory.max", String(memory.value), memory);
    set(draft, "memory.swap.max", "0", memory, true);
    set(draft, "memory.oom.group", "1", memory, true);
    keep(draft, "memory_limit", "cgroup2", [op]);
  }
  if (pids !== null && onUnified(cgroup, "pids")) {
    keep(draft, "pids_limit", "cgroup2", [set(draft, "pids.max", pidsMax(pids), pids)]);
  }
  if (cpus !== null && onUnified(cgroup, "cpu")) {
    keep(draft, "cpu_quota", "cgroup2", [set(draft, "cpu.max", `${quota(cpus)} ${cpuPeriodUs}`, cpus)]);
  }
  if (shares !== null && onUnified(cgroup, "cpu")) {
    keep(draft, "cpu_shares", "cgroup2", [set(draft, "cpu.weight", String(weight(shares)), shares)]);
  }
  if (io !== null && onUnified(cgroup, "io")) {
    keep(draft, "io_weight", "cgroup2", [set(draft, "io.weight", `default ${io.value}`, io)]);
  }
  for (const file of ["memory.peak", "memory.events", "pids.peak", "io.stat"]) collect(draft, file);
}

function planVersion1(draft: PlanDraft, limits: CgroupLimits, cgroup: CgroupFacts): void {
  const { memory, pids, cpus, shares } = limits;
  const memoryPath = onVersion1(cgroup, "memory");
  if (memory !== null && memoryPath !== undefined) {
    makeCgroup(draft, memoryPath, cgroupKind.v1);
    const op = set(draft, "memory.limit_in_bytes", String(memory.value), memory);
    set(draft, "memory.memsw.limit_in_bytes", String(memory.value), memory, true);
    collect(draft, "memory.max_usage_in_bytes");
    collect(draft, "memory.oom_control");
    keep(draft, "memory_limit", "cgroup1", [op]);
  }
  const pidsPath = onVersion1(cgroup, "pids");
  if (pids !== null && pidsPath !== undefined) {
    makeCgroup(draft, pidsPath, cgroupKind.v1);
    collect(draft, "pids.peak");
    keep(draft, "pids_limit", "cgroup1", [set(draft, "pids.max", pidsMax(pids), pids)]);
  }
  const cpuPath = onVersion1(cgroup, "cpu");
  if ((cpus !== null || shares !== null) && cpuPath !== undefined) {
    makeCgroup(draft, cpuPath, cgroupKind.v1);
    if (shares !== null) {
      keep(draft, "cpu_shares", "cgroup1", [set(draft, "cpu.shares", String(shares.value), shares)]);
    }
    if (cpus !== null) {
      set(draft, "cpu.cfs_period_us", String(cpuPeriodUs), cpus);
      const op = set(draft, "cpu.cfs_quota_us", String(quota(cpus)), cpus);
      keep(draft, "cpu_quota", "cgroup1", [op]);
    }
  }
}

/** What no cgroup enforces: fallbacks for memory and processes, a refusal for the rest, and what nobody asked for. */
function planWithout(draft: PlanDraft, limits: CgroupLimits, cgroup: CgroupFacts): void {
  const { facts, policy, request } = draft;
  const lacking = (controller: Controller) =>
    !onUnified(cgroup, controller) && onVersion1(cgroup, controller) === undefined;
  const { memory, pids } = limits;
  if (memory === null) notRequested(draft, "memory_limit");
  else if (lacking("memory")) {
    // Not RLIMIT_AS: runtimes reserve far more address space than they use.
    const each = { op: "rlimit", resource: rlimit.data, soft: memory.value, hard: memory.value, clamp: 1 } as const;
    addOp(draft, each, memory.origin, `${memory.value} bytes of data for each process`);
    const watch = { op: "watch_memory", limit: memory.value, interval_ms: watchIntervalMs } as const;
    const op = addOp(draft, watch, memory.origin, `the zone is killed over ${memory.value} bytes together`);
    keep(draft, "memory_limit", "rlimit", [op]);
  }
  if (pids === null) notRequested(draft, "pids_limit");
  else if (lacking("pids")) {
    if (draft.ownUserNamespace) {
      const limit = Number(pidsMax(pids));
      // Counted inside the zone's own user namespace since Linux 5.14.
      const op = { op: "rlimit", resource: rlimit.nproc, soft: limit, hard: limit, clamp: 1 } as const;
      addOp(draft, op, pids.origin, `${pids.value} processes of the zone`);
      // The kernel counts for each id: a task that may take others of the zone's has the limit with each.
      const takesIds = policy.capabilities.allowed.includes("CAP_SETUID") && (request.ids ?? facts.privileged);
      keep(draft, "pids_limit", "rlimit", [], takesIds ? ", for each id of the zone" : "");
    } else refuseLimit(draft, "pids", pids, cgroup);
  }
  const rest: readonly (readonly [GuaranteeName, Controller, Wanted | null])[] = [
    ["cpu_quota", "cpu", limits.cpus],
    ["cpu_shares", "cpu", limits.shares],
    ["io_weight", "io", limits.io],
  ];
  for (const [name, controller, limit] of rest) {
    if (limit === null) notRequested(draft, name);
    else if (lacking(controller)) refuseLimit(draft, controller, limit, cgroup);
  }
}

function refuseLimit(draft: PlanDraft, controller: Controller, limit: Wanted, cgroup: CgroupFacts): void {
  const message = `this limit needs the ${controller} cgroup controller, which can't be used here: ${cgroup.reason}`;
  refuse(
    draft,
    "unenforceable",
    message,
    limit.origin,
    "drop the limit, or see `rauha doctor` for how to get the controller",
  );
}

function makeCgroup(draft: PlanDraft, parent: string, kind: number): void {
  const origin = zoneOrigin("cgroup");
  const sweep = { op: "cgroup_sweep", path: parent, prefix: cgroupPrefix, min_age_s: sweepAgeSeconds } as const;
  addOp(draft, sweep, origin, "remove what a killed run left");
  const path = `${parent}/${cgroupPrefix}${draft.request.zoneId}`;
  addOp(draft, { op: "cgroup", path, kind }, origin, "a cgroup for the zone, gone with it");
}

function set(draft: PlanDraft, file: string, value: string, limit: Wanted, optional = false): number {
  const op = { op: "cgroup_set", file, value, optional: optional ? 1 : 0 } as const;
  const asked = file === "pids.max" ? `${limit.value} processes and the zone's init: ` : "";
  return addOp(draft, op, limit.origin, `${asked}${file} ${value}`);
}

function collect(draft: PlanDraft, file: string): void {
  addOp(draft, { op: "cgroup_collect", file }, zoneOrigin("usage"), `${file} for the result`);
}

function pidsMax(pids: Wanted): string {
  return String(Math.min(pids.value + ownProcesses, pidMaxLimit));
}

function quota(cpus: Wanted): number {
  return Math.max(1000, Math.round(cpus.value * cpuPeriodUs));
}

/** cpu.weight from docker's shares, as OCI runtimes convert it. */
function weight(shares: Wanted): number {
  return Math.round(1 + ((shares.value - 2) * 9999) / 262142);
}
