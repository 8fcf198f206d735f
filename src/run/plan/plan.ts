import type { Diagnostic, Origin } from "../diagnostic.ts";
import type { EgressPlan } from "../network/egress-plan.ts";
import type { CallRules } from "../seccomp/describe.ts";
import type { PlanOp } from "./contract.ts";
import type { PlacedPiece } from "./piece.ts";

/** An op with its reason: which rule asked for it, in which words. */
export interface PlannedOp {
  readonly op: PlanOp;
  readonly origin: Origin;
  /** What the op is for, as `--explain` prints it. */
  readonly intent: string;
}

/** Names of `guarantees[]`; append-only. */
export type GuaranteeName =
  | "user_namespace"
  | "mount_namespace"
  | "pid_namespace"
  | "ipc_namespace"
  | "uts_namespace"
  | "network_namespace"
  | "cgroup_namespace"
  | "filesystem_view"
  | "filesystem_rules"
  | "proc_masked"
  | "devices"
  | "tmpfs_quota"
  | "environment"
  | "file_descriptors"
  | "no_new_privs"
  | "capabilities"
  | "syscall_filter"
  | "network_rules"
  | "scope"
  | "lsm_zone_boundary"
  | "wall_clock"
  | "memory_limit"
  | "pids_limit"
  | "cpu_shares"
  | "cpu_quota"
  | "io_weight"
  | "rlimit_cpu"
  | "rlimit_as"
  | "rlimit_fsize"
  | "rlimit_nofile"
  | "rlimit_core"
  | "self_test"
  | "workspace_copy_on_write"
  | "denial_events";

/** A promise about the zone, and the ops that keep it: if one of them is skipped, the report takes the promise back. */
export interface PlannedGuarantee {
  readonly name: GuaranteeName;
  readonly state: "enforced" | "not_requested" | "unavailable";
  /** What enforces it (`cgroup2 memory.max`, `rlimit`, `mount namespace`), or why nothing does. */
  readonly mechanism: string | null;
  /** Indexes into `Plan.ops`. */
  readonly ops: readonly number[];
}

/** Everything that will happen, as data. `--explain` prints it; a backend executes it. */
export interface Plan {
  readonly taskId: string;
  readonly zoneId: string;
  readonly command: readonly string[];
  /** `sha256:` and hex over the command's arguments, each followed by NUL: what events carry instead of argv. */
  readonly commandHash: string;
  readonly backend: { readonly name: string; readonly platform: string };
  readonly policy: { readonly name: string; readonly hash: string };
  /** The image that is the zone's root. */
  readonly image: { readonly reference: string; readonly digest: string } | null;
  readonly isolation: "zone" | "vm";
  /**
   * Where the plan has `pieces` (ready.ts), `inPiece` stands for each op of theirs, and their guarantees are added by `guaranteesOf`. Who asks
   * what an op was for, or looks for a kind of op that a piece may have, takes the planner's plan of the same inputs.
   */
  readonly ops: readonly PlannedOp[];
  readonly pieces?: readonly PlacedPiece[] | undefined;
  readonly guarantees: readonly PlannedGuarantee[];
  /** LSMs that will decide for the zone. */
  readonly lsm: readonly ("bpf-lsm" | "landlock")[];
  readonly seccomp: boolean;
  /** Network mode `filtered`: what the zone's gateway lets out. */
  readonly egress?: EgressPlan | undefined;
  /** What a denied call is explained by. */
  readonly callRules: CallRules;
  /** What holds less than one might think, in words: a fallback, an ABI that lacks a right. */
  readonly warnings: readonly Diagnostic[];
}

/** A plan, or every reason why there is none. */
export type PlanOutcome =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };
