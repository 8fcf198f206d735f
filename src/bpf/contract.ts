/**
 * The boundary between Rauha and its BPF programs, in one place: hooks, reasons, flags, and the records that lie in the pinned maps.
 * `scripts/generate/bpf-contract.ts` turns these tables into `native/bpf/contract.gen.h`, and `record.ts` encodes and decodes by them.
 *
 * A record has fixed-width fields in the machine's byte order, each on its natural alignment and without any padding: the generator
 * refuses a layout that has a hole. `bytes` fields are zero-filled.
 */

/** A field: an unsigned number of this many bits, or that many bytes. */
export type FieldSpec = "u16" | "u32" | "u64" | { readonly bytes: number };

/** What is decided where; the order is that of the counters. Ids are append-only. */
export const hooks = [
  "file_open",
  "bprm_check_security",
  "ptrace_access_check",
  "ptrace_traceme",
  "task_kill",
  "cgroup_lock",
  "socket_connect",
  "socket_bind",
  "socket_sendmsg",
  "unix_stream_connect",
  "unix_may_send",
  "capable",
  "mmap_file",
  "file_receive",
  "userns_create",
  "bpf",
  "sb_mount",
  "move_mount",
  "sb_umount",
  "sb_remount",
  "sb_pivotroot",
  "kernel_read_file",
  "kernel_load_data",
  "kernel_module_request",
  "perf_event_open",
  "task_setscheduler",
  "task_setnice",
  "task_prlimit",
  "path_change",
] as const;
export type Hook = (typeof hooks)[number];

/** Columns of the counters. `error`: denied because what is needed to decide could not be looked up. */
export const decisions = ["allow", "deny", "error"] as const;
export type Decision = (typeof decisions)[number];

/** Why something is denied. Ids are append-only. */
export const reasons = [
  "none",
  /** Reached through a mount that is not in the zone's own tree. */
  "outside_mount_tree",
  /** On a file system, or in a mount tree, of another zone. */
  "other_zone_file",
  /** The task, or the socket's owner, is of another zone. */
  "other_zone",
  /** The task, or the socket's owner, is in no zone. */
  "host",
  /** A cgroup file outside the zone's own subtree, or one that holds the zone's own limits. */
  "cgroup",
  /** A capability that the policy's mask leaves out. */
  "capability",
  /** An address that no rule of the policy lists. */
  "egress",
  "ingress",
  /** Forbidden by the policy's flags. */
  "policy",
  /** Never allowed in a zone: BPF, kernel modules. */
  "never",
  /** The zone's policy, or room in a map, is missing. */
  "lookup_failed",
] as const;
export type Reason = (typeof reasons)[number];

/** Bits of `policy.flags`. */
export const policyFlag = {
  /** No rules for addresses. */
  anyAddress: 1 << 0,
  userNamespaces: 1 << 1,
  mounts: 1 << 2,
  /** Inside the zone anyone may trace whom the kernel lets him. */
  tracing: 1 << 3,
  /** Sockets of processes in no zone may be connected to: the policy shows some. */
  hostSockets: 1 << 4,
} as const;

/** What `event.object` holds. */
export const objectKind = { none: 0, path: 1, name: 2, address: 3, number: 4 } as const;

/** `egress.way`. */
export const way = { out: 0, in: 1 } as const;

/** Deepest cgroup level of a zone; the root's is 0. */
export const levels = 24;
/** Denials of a zone that are kept; the rest is only counted. */
export const eventsPerZone = 256;
/** Ranges of ports that a network of `rauha_addresses` can have: four bytes of `ports.ranges` each. */
export const portRanges = 64;
/** Zones at once. */
export const zonesAtOnce = 16_384;

/** The records of the maps, field by field, as both sides lay them out; integers are little-endian. */
export const records = {
  /** Value of `rauha_config`, an array of one. */
  config: { contract: "u64", loaded_ms: "u64", host_netns: "u32", host_userns: "u32", host_mntns: "u32", zero: "u32" },
  /**
   * Value of `rauha_zones`, by cgroup id. From `armed` on the programs write: they note where the zone is when its command is executed,
   * and from then on they enforce.
   */
  zone: {
    cgroup: "u64",
    created_ms: "u64",
    /** When the entry was made, CLOCK_BOOTTIME: who made it is older, and another process that has its pid by now is not. */
    made_ns: "u64",
    /** What others name the zone by in `contact`; 0 where nobody may touch it. */
    contact_key: "u64",
    denials: "u64",
    /** Who made the entry and takes it away. */
    owner_pid: "u32",
    uid: "u32",
    armed: "u32",
    mount_ns: "u32",
    user_ns: "u32",
    network_ns: "u32",
    root_device: "u32",
    init: "u32",
    id: { bytes: 48 },
    name: { bytes: 128 },
    policy_hash: { bytes: 32 },
  },
  /** Value of `rauha_policies`, by cgroup id; replaced as a whole. */
  policy: { capabilities: "u64", flags: "u32", zero: "u32" },
  /** Key of `rauha_contact`: who may touch a zone of this key. The value is 1. */
  contact: { from: "u64", to_key: "u64" },
  /** Key of the prefix tree `rauha_addresses`: `prefix` bits of what follows it. IPv4 as ::ffff:a.b.c.d. */
  address: { prefix: "u32", way: "u32", zone: "u64", address: { bytes: 16 } },
  /** Value of `rauha_addresses`: all ports of the network that are listed, also by wider entries, since the tree answers with one. */
  ports: { count: "u32", zero: "u32", ranges: { bytes: 256 } },
  /** Key of `rauha_ports`: who listens. */
  port: { network_ns: "u32", port: "u32" },
  /** Key of `rauha_events`. */
  event_key: { zone: "u64", number: "u64" },
  /** Value of `rauha_events`: one denial. `done` is written last. */
  event: {
    boot_ns: "u64",
    target: "u64",
    number: "u64",
    hook: "u32",
    reason: "u32",
    pid: "u32",
    object_kind: "u32",
    done: "u32",
    zero: "u32",
    comm: { bytes: 16 },
    object: { bytes: 256 },
  },
} as const satisfies Record<string, Readonly<Record<string, FieldSpec>>>;
export type RecordName = keyof typeof records;

/** Names of the pinned maps, below `maps/` of the pin directory. */
export const maps = [
  "rauha_config",
  "rauha_zones",
  "rauha_names",
  "rauha_policies",
  "rauha_contact",
  "rauha_addresses",
  "rauha_levels",
  "rauha_devices",
  "rauha_mounts",
  "rauha_ports",
  "rauha_events",
  "rauha_counters",
] as const;
export type MapName = (typeof maps)[number];
