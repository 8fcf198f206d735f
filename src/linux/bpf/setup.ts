import { type Decision, decisions, hooks, type MapName } from "../../bpf/contract.ts";
import { pinDirectory } from "../../bpf/pin-directory.ts";
import { bytesText, decodeRecord } from "../../bpf/record.ts";
import { u32 } from "../../bpf/zone-entry.ts";
import type { LsmReadiness, LsmSetup, LsmState } from "../../run/lsm.ts";
import { canAccess, flag } from "../ffi.ts";
import { probeFacts } from "../probe/facts.ts";
import { readSmallFile, readWholeFile } from "../small-file.ts";
import { cgroupLookup, unifiedMount } from "./cgroup-place.ts";
import { runLoader } from "./loader.ts";
import { isMaker } from "./maker.ts";
import { lookup } from "./map-calls.ts";
import { neighboursOf } from "./neighbours.ts";
import { readZone } from "./registry.ts";
import { type BpfState, openState } from "./state.ts";
import { sweepZones } from "./sweep.ts";

const btfFile = "/sys/kernel/btf/vmlinux";
const btfBytes = 64 << 20;
/** CAP_SYS_ADMIN, which stands for CAP_BPF and CAP_PERFMON as well. */
const neededOfRoot = 1n << 21n;

/** Setting up and looking at the BPF side of this host. */
export const lsmSetup: LsmSetup = {
  readiness,
  load: () => runLoader("load", pinDirectory),
  remove: () => runLoader("remove", pinDirectory),
  state: readState,
};

function readiness(): LsmReadiness {
  const facts = probeFacts();
  const root = facts.uid === 0 && (facts.capabilities & neededOfRoot) !== 0n;
  const modules = readSmallFile("/sys/kernel/security/lsm", 4096)?.trim().split(",") ?? null;
  const types = readWholeFile(btfFile, btfBytes);
  return {
    root,
    btf: typeof types !== "number",
    // The hooks are functions of the kernel, and have a name in its types only where they are compiled in.
    compiled: typeof types === "number" ? null : Buffer.from(types.buffer).includes("\0bpf_lsm_file_open\0"),
    modules,
    bpffs: hasBpffs(readSmallFile("/proc/self/mounts", 1 << 20) ?? ""),
    pinned: canAccess(`${pinDirectory}/maps`, flag.X_OK),
    trial: root ? runLoader("probe") : null,
  };
}

/** Lines of proc_mounts(5); the last mount at the place is the one that is seen. */
function hasBpffs(mounts: string): boolean {
  const there = mounts.split("\n").filter((line) => line.split(" ")[1] === "/sys/fs/bpf");
  return there.at(-1)?.split(" ")[2] === "bpf";
}

function readState(): LsmState | null {
  const state = openState();
  if (!("map" in state)) return state.foreign ? { current: false, loadedAt: 0, zones: [], counters: {} } : null;
  const mount = unifiedMount();
  sweepZones(state, undefined, mount);
  const cgroups = cgroupLookup(mount);
  const zones = neighboursOf(state, undefined, Number.MAX_SAFE_INTEGER).flatMap((id) => {
    const zone = readZone(state, id);
    // Of a killed run there may be an empty cgroup, until a later run removes it by its age.
    const isOwned = zone !== undefined && isMaker(zone.owner_pid, zone.made_ns);
    if (zone === undefined || !(isOwned || cgroups.isPopulated(id))) return [];
    return [{ id: bytesText(zone.id), name: bytesText(zone.name), createdAt: Number(zone.created_ms) }];
  });
  cgroups.close();
  const counters = readCounters(state);
  const loadedAt = Number(decodeRecord("config", state.config).loaded_ms);
  state.close();
  return { current: true, loadedAt, zones, counters };
}

/** Decisions by hook, summed over all processors; hooks that nothing was decided at are left out. */
export function readCounters(state: BpfState): LsmState["counters"] {
  const map = state.map("rauha_counters" satisfies MapName);
  const values = new BigUint64Array(possibleCpus());
  const bytes = new Uint8Array(values.buffer);
  const read = (hook: number, decision: number) =>
    lookup(map, u32(hook * decisions.length + decision), bytes) < 0 ? 0 : Number(values.reduce((a, b) => a + b, 0n));
  const rows = hooks.map((hook, index) => {
    const row = Object.fromEntries(decisions.map((decision, column) => [decision, read(index, column)]));
    return [hook, row as Record<Decision, number>] as const;
  });
  return Object.fromEntries(rows.filter(([, row]) => row.allow + row.deny + row.error > 0));
}

/** The kernel writes a value for each processor there could be: `0-3,8`. */
function possibleCpus(): number {
  const text = readSmallFile("/sys/devices/system/cpu/possible", 4096)?.trim() ?? "0";
  return Number(text.split(/[,-]/).at(-1)) + 1;
}
