/**
 * The boundary between Rauha and its native launcher, in one place.
 *
 * Every record that crosses it, in either direction, is declared here: its id, the stage it belongs to and
 * its fields in wire order. `scripts/generate.ts` turns these tables into `native/launcher/contract.gen.h`
 * and `contract.gen.c`; TypeScript derives its types and its encoder from the same tables. A record that
 * is not in a table is refused by both sides.
 *
 * Wire format, little endian, no alignment. A plan is a header (magic, contract hash, op count, total bytes)
 * and its ops. An op or a report record is `u16 id, u16 zero, u32 payload length, payload`. Field encodings:
 * `u32` 4 bytes; `u64` 8 bytes; `str` u32 length, bytes without NUL, then one NUL that the length leaves out;
 * `bytes` u32 length and raw bytes; `strs` u32 count and that many `str`.
 */

export * from "./contract-flags.ts";

/** How a field travels. */
export type FieldType = "u32" | "u64" | "str" | "strs" | "bytes";

/** Where in a zone's life something happens; errors name it. The order is the order of the launcher. */
export const stages = [
  "decode",
  "cgroup",
  "clone",
  "idmap",
  "mount",
  "pivot",
  "net",
  "limits",
  "caps",
  "landlock",
  "seccomp",
  "verify",
  "exec",
  "run",
  "cleanup",
] as const;
/** The name of a stage, as `error.stage` has it. */
export type Stage = (typeof stages)[number];

/** How often an op stands in a plan: exactly once, at most once, or any number of times. The launcher refuses a plan that differs. */
export type Times = "once" | "optional" | "many";

interface RecordSpec {
  readonly id: number;
  readonly stage: Stage;
  /** `many` where it is left out. */
  readonly times?: Times;
  readonly fields: Readonly<Record<string, FieldType>>;
}

/** What a plan is made of. Ids are append-only. */
export const planOps = {
  /** Namespaces of the zone, as CLONE_NEW* bits; always at least mount and pid. See clone(2), namespaces(7). */
  namespaces: { id: 1, stage: "clone", times: "once", fields: { flags: "u32" } },
  /** One line of uid_map or gid_map, user_namespaces(7). */
  uid_map: { id: 2, stage: "idmap", fields: { inside: "u32", outside: "u32", count: "u32" } },
  gid_map: { id: 3, stage: "idmap", fields: { inside: "u32", outside: "u32", count: "u32" } },
  /** Writes "deny" to /proc/PID/setgroups, before gid_map: an ordinary user's map needs it. */
  setgroups_deny: { id: 4, stage: "idmap", times: "optional", fields: {} },
  /**
   * The maps name ids that only newuidmap(1) and newgidmap(1), at these paths, may map for the caller: the launcher writes none, reports
   * `ids`, and init goes on at Rauha's word `go`, when Rauha has run both.
   */
  id_helpers: { id: 5, stage: "idmap", times: "optional", fields: { newuidmap: "str", newgidmap: "str" } },
  /** Writes a file of /proc/sys/user in the zone's own user namespace, user_namespaces(7). One that can't be written is reported as skipped. */
  user_limit: { id: 6, stage: "idmap", fields: { path: "str", value: "str" } },

  /** Makes a cgroup directory for the zone and puts the zone in it; removed when the zone has ended. */
  cgroup: { id: 10, stage: "cgroup", fields: { path: "str", kind: "u32" } },
  /** Writes a control file below the cgroup made last. `optional` 1: a missing file is reported as skipped. */
  cgroup_set: { id: 11, stage: "cgroup", fields: { file: "str", value: "str", optional: "u32" } },
  /** Reads a control file of the cgroup made last when the zone has ended, and reports it as `collected`. Missing: skipped. */
  cgroup_collect: { id: 12, stage: "cgroup", fields: { file: "str" } },
  /** Removes empty, abandoned directories `prefix*` older than `min_age_s` from `path`, while the kernel ends the zone. */
  cgroup_sweep: { id: 13, stage: "cleanup", fields: { path: "str", prefix: "str", min_age_s: "u32" } },

  /** The zone's root: one tmpfs that the host never sees, and the quota of every `scratch` directory together. */
  root: { id: 20, stage: "mount", times: "once", fields: { size: "u64", inodes: "u64" } },
  /** Binds a host path (and what is mounted below it) into the zone, nosuid. The target is made if it lies on the root tmpfs. */
  bind: { id: 21, stage: "mount", fields: { source: "str", target: "str", flags: "u32" } },
  /** Shows a host path as it is: a symlink is made again, anything else is bound like `bind`. */
  mirror: { id: 22, stage: "mount", fields: { source: "str", target: "str", flags: "u32" } },
  /** Copies a small regular file of the host (at most 1 MiB) into the root tmpfs: cheaper than a mount, and no host inode shows. */
  copy: { id: 23, stage: "mount", fields: { source: "str", target: "str", mode: "u32", flags: "u32" } },
  /** A writable directory on the root tmpfs: stays writable when the root becomes read-only. nosuid, nodev. */
  scratch: { id: 24, stage: "mount", fields: { target: "str", mode: "u32", flags: "u32" } },
  dir: { id: 25, stage: "mount", fields: { target: "str", mode: "u32" } },
  symlink: { id: 26, stage: "mount", fields: { value: "str", target: "str" } },
  /** A file with this content on the root tmpfs. */
  file: { id: 27, stage: "mount", fields: { target: "str", mode: "u32", content: "bytes" } },
  /** A fresh procfs of the zone's pid namespace: nosuid, nodev, noexec. */
  proc: { id: 28, stage: "mount", fields: { target: "str" } },
  /** A fresh sysfs of the zone's network namespace, read-only: nosuid, nodev, noexec. */
  sysfs: { id: 29, stage: "mount", fields: { target: "str" } },
  /** A devpts instance of the zone's own; ptmxmode 0666, mode 0620. */
  devpts: { id: 30, stage: "mount", fields: { target: "str" } },
  /** Hides a path: a directory under an empty one, a file under an empty one, both read-only. */
  mask: { id: 31, stage: "mount", fields: { target: "str", flags: "u32" } },
  /** Makes what is mounted at, or lies below, a path of the zone read-only. */
  read_only: { id: 32, stage: "mount", fields: { target: "str", flags: "u32" } },
  /** The host path must exist (for a denied path that no view shows): a missing one is a typing error, so it is refused. Nothing is mounted. */
  expect: { id: 33, stage: "mount", fields: { source: "str", flags: "u32" } },
  /**
   * Mounts an overlayfs (userxattr, volatile) of three directories that are in the zone already. `lower`, `upper` and `work` are
   * paths of the zone without a colon, comma or backslash; `flags` as of `bind`.
   */
  overlay: { id: 34, stage: "mount", fields: { lower: "str", upper: "str", work: "str", target: "str", flags: "u32" } },
  /** Takes a mount of the plan's away again, with its mount point on the root tmpfs: what stands on it (overlay) keeps it. */
  detach: { id: 35, stage: "mount", fields: { target: "str" } },

  /**
   * A directory of the host that is one layer of the zone's image, in the form of an overlayfs lower directory; the lowest comes first.
   * It is mounted out of the zone's sight. `target` names it among the plan's layers: a number, counted from 0; `flags` as of `bind`.
   */
  layer: { id: 36, stage: "mount", fields: { source: "str", target: "str", flags: "u32" } },
  /** An overlayfs (userxattr, volatile) of all `layer`s takes the place of the zone's root; what is written goes to the root tmpfs. */
  image: { id: 37, stage: "mount", times: "optional", fields: { layers: "u32" } },

  /** pivot_root(2) into the root, detach the host's tree; then the root tmpfs itself becomes read-only. */
  pivot: { id: 40, stage: "pivot", times: "once", fields: { read_only_root: "u32" } },
  hostname: { id: 41, stage: "net", times: "optional", fields: { name: "str" } },
  /** Brings `lo` up in the zone's network namespace. */
  loopback: { id: 42, stage: "net", times: "optional", fields: {} },
  /** When the zone's network namespace and tree are there: reports `network` and goes on at Rauha's word `go`. */
  network_gate: { id: 43, stage: "net", times: "optional", fields: {} },
  /**
   * Sends netlink(7) messages in the zone's network namespace, all in one, and waits for the answer to each that asks for one
   * (NLM_F_ACK); an error is the op's. `give` 1: the socket is handed to rauha, with those of `listen`, in the plan's order.
   */
  netlink: { id: 44, stage: "net", fields: { protocol: "u32", give: "u32", messages: "bytes" } },
  /** A socket of the zone's network namespace, bound (and listening, `type` SOCK_STREAM) at an address of 4 or 16 bytes: handed to rauha. */
  listen: { id: 45, stage: "net", fields: { type: "u32", port: "u32", address: "bytes" } },
  /** `count` TCP sockets of the zone's network namespace, bound and connected to nothing: handed to rauha, which may connect them there. */
  dial: { id: 46, stage: "net", times: "optional", fields: { count: "u32" } },

  /** setrlimit(2) for the task; RLIM_INFINITY is 2^64 - 1. `clamp` 1: a hard limit below `hard` is kept and reported as skipped. */
  rlimit: { id: 50, stage: "limits", fields: { resource: "u32", soft: "u64", hard: "u64", clamp: "u32" } },
  /** Without a memory cgroup: init sums what the zone holds every `interval_ms` and kills the zone over `limit` bytes. */
  watch_memory: { id: 51, stage: "limits", times: "optional", fields: { limit: "u64", interval_ms: "u32" } },
  /** Wall clock: at `wall_ms` `signal` to the task's process group, `grace_ms` later SIGKILL to the zone. 0: no limit. */
  timeout: { id: 52, stage: "limits", times: "optional", fields: { wall_ms: "u64", grace_ms: "u64", signal: "u32" } },

  /** Who the task is inside: ids, supplementary groups as decimal strings, umask. */
  identity: {
    id: 60,
    stage: "caps",
    times: "once",
    fields: { uid: "u32", gid: "u32", groups: "strs", umask: "u32", flags: "u32" },
  },
  /** The task's capabilities, as a mask over capability numbers: bounding, permitted, effective, inheritable and ambient. no_new_privs is always set. */
  capabilities: { id: 61, stage: "caps", times: "once", fields: { mask: "u64" } },
  /** Forbidden acts to try after locking down; see `verifyCheck`. */
  verify: { id: 62, stage: "verify", times: "optional", fields: { checks: "u32" } },

  /** The Landlock ruleset of the task: the access rights it handles, LANDLOCK_ACCESS_FS_*, _NET_* and LANDLOCK_SCOPE_*. */
  landlock: { id: 63, stage: "landlock", times: "optional", fields: { fs: "u64", net: "u64", scope: "u64" } },
  /** Allows `access` at a path of the zone and below, but for what lies at or below a path of `except`. */
  landlock_path: { id: 64, stage: "landlock", fields: { path: "str", access: "u64", flags: "u32", except: "strs" } },
  /** Allows `access` to a TCP port. */
  landlock_port: { id: 65, stage: "landlock", fields: { port: "u32", access: "u64" } },
  /**
   * The task's system call filter as struct sock_filter[], installed last. `paths` are pairs of u32 (system call, argument that is a
   * path), for the events of what is denied.
   */
  seccomp: {
    id: 66,
    stage: "seccomp",
    times: "optional",
    fields: { flags: "u32", filter: "bytes", paths: "bytes" },
  },

  /** Calls that the listener lets take place and reports as `used`: entries of five u32, the call, path or address, and its arguments. */
  watch: { id: 67, stage: "seccomp", times: "optional", fields: { calls: "bytes" } },

  /** Streams of the task. `max_output` bytes of each captured stream are reported, the rest counted. */
  io: { id: 70, stage: "exec", times: "once", fields: { mode: "u32", stdin: "u32", max_output: "u64" } },
  /** chdir(2) of the task. */
  workdir: { id: 71, stage: "exec", times: "optional", fields: { path: "str" } },
  /** The task: its arguments and its whole environment. argv[0] without a slash is searched in the environment's PATH. */
  exec: { id: 72, stage: "exec", times: "once", fields: { argv: "strs", env: "strs" } },
} as const satisfies Record<string, RecordSpec>;

/** How a zone came to its end, in `ended.cause`; what the task's wait status alone can't tell. */
export const endCause = { none: 0, timeout: 1, memory: 2, cancelled: 3, init_lost: 4 } as const;

/** What the launcher reports. Ids are append-only. */
export const reportRecords = {
  /** The zone could not be set up, nothing of the task ran. `op` is the index in the plan, 2^32 - 1 for none. `step` is the system call or step. */
  failed: { id: 1, stage: "run", fields: { stage: "u32", op: "u32", errno: "u32", step: "str", detail: "str" } },
  /** The task's execve(2) succeeded. `pid` is init's pid on the host. */
  started: { id: 2, stage: "run", fields: { pid: "u32" } },
  /** A piece of a captured stream: 1 stdout, 2 stderr. */
  output: { id: 3, stage: "run", fields: { stream: "u32", data: "bytes" } },
  /** An op that was allowed to be passed over, was: its source or file is missing, or the kernel lacks it. */
  skipped: { id: 4, stage: "run", fields: { op: "u32", errno: "u32", step: "str" } },
  /** The task has ended and every process of the zone with it. `status` is wait(2)'s; `signal` what cancelled it. */
  ended: {
    id: 5,
    stage: "run",
    fields: {
      status: "u32",
      cause: "u32",
      user_us: "u64",
      system_us: "u64",
      max_rss_bytes: "u64",
      wall_us: "u64",
      stdout_bytes: "u64",
      stderr_bytes: "u64",
      pids_peak: "u32",
      memory_peak: "u64",
    },
  },
  /** The content of a control file at the zone's end (`cgroup_collect`), at most 4096 bytes. */
  collected: { id: 6, stage: "run", fields: { op: "u32", data: "bytes" } },
  /** Forbidden acts that were tried and refused, as in `verifyCheck`. */
  verified: { id: 7, stage: "verify", fields: { checks: "u32" } },
  /** Last record of every run: all that was made is undone; or `errno` and `detail` say what could not be. */
  cleaned: { id: 8, stage: "cleanup", fields: { errno: "u32", detail: "str" } },
  /** A system call of the task that its filter denied: EPERM. `args` are six u64, `object` the path that the plan says it has. */
  denied: {
    id: 9,
    stage: "run",
    fields: { nr: "u32", arch: "u32", pid: "u32", comm: "str", object: "str", args: "bytes" },
  },
  /** How many denied calls were not reported one by one. */
  denials_dropped: { id: 10, stage: "run", fields: { count: "u64" } },
  /** A watched system call: its path as the task wrote it and, for a relative one, what it starts from; or a socket's address. */
  used: {
    id: 11,
    stage: "run",
    fields: { nr: "u32", arch: "u32", flags: "u64", path: "str", base: "str", address: "bytes" },
  },
  /** The zone waits at its `network_gate`. `pid` is init's on the host, and init is in the zone's network namespace. */
  network: { id: 12, stage: "net", fields: { pid: "u32" } },
  /** The zone's user namespace is there and has no maps (`id_helpers`). `pid` is init's on the host. */
  ids: { id: 13, stage: "idmap", fields: { pid: "u32" } },
} as const satisfies Record<string, RecordSpec>;

/** What Rauha tells a running launcher over its control pipe: `u8 kind, u8 value`. End of file means: kill the zone, clean up, exit. */
export const control = {
  /** Forward signal `value` to the task. */
  signal: 1,
  /** Signal `value` to the task, then SIGKILL to the zone after the grace time of `timeout`; cause `cancelled`. */
  cancel: 2,
  /** SIGKILL to the zone at once; cause `cancelled`. */
  kill: 3,
  /** What the zone waits for is done: the maps of its ids (`ids`), or its network (`network`). */
  go: 4,
} as const;

/** File descriptors of the launcher when it starts. Everything above is closed before anything else happens. */
export const launcherFd = { control: 0, report: 1, errors: 2, plan: 3, stdin: 4, stdout: 5, stderr: 6 } as const;

/** First word of a plan, "RHP1"; the contract's hash follows as a u64, so that two builds never misread each other. */
export const planMagic = 0x31504852;

/** Length of a plan's header: magic, contract hash, op count, total bytes. */
export const planHeaderBytes = 20;

/** `ops` and `planBytes` bound a plan; `pathBytes` bounds every `str` in it (the words of `strs` only by the plan's size). */
export const contractLimits = { planBytes: 8 << 20, ops: 4096, outputChunk: 65536, pathBytes: 4095 } as const;

type FieldValue<F extends FieldType> = F extends "u32"
  ? number
  : F extends "u64"
    ? bigint | number
    : F extends "str"
      ? string
      : F extends "strs"
        ? readonly string[]
        : Uint8Array;

/** One op as data: `{ op: "bind", source, target, flags }`. */
export type PlanOp = {
  [K in keyof typeof planOps]: { readonly op: K } & {
    readonly [F in keyof (typeof planOps)[K]["fields"]]: FieldValue<(typeof planOps)[K]["fields"][F] & FieldType>;
  };
}[keyof typeof planOps];

type ReportValue<F extends FieldType> = F extends "u64" ? number : FieldValue<F>;

/** One record of a launcher's report as data. `u64` arrives as a number: no count here passes 2^53. */
export type ReportRecord = {
  [K in keyof typeof reportRecords]: { readonly record: K } & {
    readonly [F in keyof (typeof reportRecords)[K]["fields"]]: ReportValue<
      (typeof reportRecords)[K]["fields"][F] & FieldType
    >;
  };
}[keyof typeof reportRecords];
