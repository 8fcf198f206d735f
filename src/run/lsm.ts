import type { Diagnostic } from "./diagnostic.ts";
import type { CgroupFacts } from "./host-facts.ts";
import type { LsmZone } from "./plan/draft.ts";
import type { Policy } from "./policy/policy.ts";
import type { RunPart } from "./run-part.ts";

/**
 * The BPF-LSM side of one run. It makes the zone's cgroup and enters the zone in the maps; after the zone's end it says what was denied,
 * and takes everything of the zone out of the maps.
 */
export type LsmRun = LsmZone & Required<Pick<RunPart, "prepare" | "meanwhile" | "end" | "undo">>;

/**
 * Opens the pinned maps for one run, or says why they can't be used. The policy's network is the one that the run has: its mode, and what
 * the zone may send to.
 */
export type OpenLsm = (
  zoneId: string,
  policy: Policy,
  cgroup: CgroupFacts,
) => Promise<{ readonly ok: true; readonly run: LsmRun } | { readonly ok: false; readonly problem: Diagnostic }>;

/** What `rauha setup` and `rauha doctor` do about the BPF programs. */
export interface LsmSetup {
  /** Asks the host; as root, also by attaching a program and detaching it again. */
  readiness(): LsmReadiness;
  /** Loads, tries and pins the programs; in place of older ones. */
  load(): LsmOutcome;
  /** Takes everything away. */
  remove(): LsmOutcome;
  /** What is pinned; null when nothing is, or this caller can't see it. */
  state(): LsmState | null;
}

/** What the loader says of itself. */
export type LsmOutcome =
  | {
      readonly ok: true;
      readonly change: "loaded" | "upgraded" | "none" | "removed" | "tried";
      readonly programs: number;
    }
  | { readonly ok: false; readonly failed: string; readonly errno: string; readonly log: string };

/** What BPF-LSM needs of a host. */
export interface LsmReadiness {
  readonly root: boolean;
  /** The kernel describes its types in /sys/kernel/btf/vmlinux. */
  readonly btf: boolean;
  /** The kernel is built with CONFIG_BPF_LSM; null where nothing says so. */
  readonly compiled: boolean | null;
  /** Active security modules; null where securityfs is not mounted. */
  readonly modules: readonly string[] | null;
  /** A bpffs is mounted at /sys/fs/bpf. */
  readonly bpffs: boolean;
  readonly pinned: boolean;
  /** How attaching a program went; null when it was not tried. */
  readonly trial: LsmOutcome | null;
}

/** What is pinned, as `rauha doctor` and `rauha setup` show it. */
export interface LsmState {
  /** Of this very version of Rauha. */
  readonly current: boolean;
  readonly loadedAt: number;
  /** Zones in the maps that somebody lives in, or that their maker still has. */
  readonly zones: readonly { readonly id: string; readonly name: string; readonly createdAt: number }[];
  /** By hook: decisions since the programs were loaded. */
  readonly counters: Readonly<
    Record<string, { readonly allow: number; readonly deny: number; readonly error: number }>
  >;
}
