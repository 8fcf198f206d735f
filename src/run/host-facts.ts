/**
 * What the planner must know of the host, as data: probes fill it in (`src/linux/probe`), tests make it up.
 * Nothing here is about the paths a request names; the launcher alone looks at those.
 */
export interface HostFacts {
  readonly platform: "linux" | "darwin";
  readonly arch: "x86_64" | "aarch64";
  /** `uname -r`. */
  readonly kernel: string;
  readonly uid: number;
  readonly gid: number;
  /** Name of the caller's user for the zone's /etc/passwd; "user" when unknown. */
  readonly userName: string;
  /** Whether the caller may mount and map ids on the host: uid 0 with CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SYS_CHROOT. */
  readonly privileged: boolean;
  /** Effective capabilities of the caller as a mask over capability numbers. */
  readonly capabilities: bigint;
  readonly userNamespaces: Fact;
  readonly seccomp: Fact;
  /** Landlock ABI, 0 where the kernel has none or it is off. */
  readonly landlockAbi: number;
  readonly cgroup: CgroupFacts;
  /** Whether bpf-lsm programs of ours are pinned and usable by this caller. */
  readonly bpfLsm: Fact;
  /** The caller's environment; only what policy or flags name enters a zone. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Something that the host has, or why it has it not, and the command that changes that. */
export type Fact = { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly fix?: string };

/** Where the caller may make a cgroup, for each controller it may use. */
export interface CgroupFacts {
  /** Directory below which zones' cgroups go on the unified hierarchy, with the controllers enabled for its children. */
  readonly v2: { readonly path: string; readonly controllers: readonly string[] } | null;
  /** Version 1 directories (the caller's own cgroup in each hierarchy) by controller, only those that v2 lacks. */
  readonly v1: Readonly<Partial<Record<"memory" | "pids" | "cpu", string>>>;
  /** Why a controller is missing, in words for `guarantees` and `doctor`. */
  readonly reason: string;
}
