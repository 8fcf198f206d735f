import type { FlagTable } from "./flag.ts";
import { sandboxViewFlags } from "./sandbox-view-table.ts";

const mebi = 1 << 20;

/** Headings of `rauha sandbox --help`, in its order. */
export const sandboxGroups = {
  zone: "Zone",
  view: "Filesystem",
  env: "Environment and identity",
  network: "Network",
  limits: "Limits",
  io: "Input, output and result",
} as const;

/**
 * The options of `rauha sandbox`: SPEC section 1. What a value must look like is its `kind`; what an option means for the
 * zone is decided by `parseSandboxArgs` and the planner.
 */
export const sandboxFlags = {
  policy: {
    group: "zone",
    kind: "policy",
    metavar: "NAME|FILE",
    description: "What the task may do: a shipped policy or a TOML file",
    default: "task",
  },
  image: {
    group: "zone",
    kind: "text",
    metavar: "REF",
    description: "OCI image as root filesystem, pulled when missing",
    default: "a minimal read-only view of the host",
  },
  pull: {
    group: "zone",
    kind: "enum",
    metavar: "WHEN",
    description: "When to pull the image",
    default: "missing",
    values: {
      always: { description: "before every run" },
      missing: { description: "when it is not stored" },
      never: { description: "not at all" },
    },
  },
  platform: {
    group: "zone",
    kind: "text",
    metavar: "OS/ARCH",
    description: "Platform of the image",
    default: "the host's",
  },
  entrypoint: {
    group: "zone",
    kind: "text-or-none",
    metavar: "PROGRAM",
    description: "Before the command, in place of the image's entrypoint and command; '' for nothing",
    default: "the image's",
  },
  name: {
    group: "zone",
    kind: "text",
    metavar: "ZONE",
    description: "Run in this existing zone",
    default: "a temporary zone",
    unavailable: true,
  },
  "keep-zone": {
    group: "zone",
    kind: "boolean",
    description: "Leave the zone behind for inspection",
    unavailable: true,
  },
  isolation: {
    group: "zone",
    kind: "enum",
    metavar: "KIND",
    description: "An OS-level zone, or a virtual machine for each zone",
    default: "zone on Linux",
    values: {
      zone: { description: "namespaces and kernel filters" },
      vm: { description: "a kernel of its own", unavailable: true },
    },
  },
  explain: {
    group: "zone",
    kind: "boolean",
    description: "Print every mount, limit, filter and rule, where it comes from and what enforces it; run nothing",
  },

  ...sandboxViewFlags,

  network: {
    group: "network",
    kind: "enum",
    metavar: "MODE",
    description: "Which network the zone has",
    default: "the policy's",
    values: {
      none: { description: "loopback only", meant: ["false", "off", "no", "disabled", "deny"] },
      isolated: { description: "another name for none" },
      filtered: { description: "nothing but the allowed domains and addresses, for every program" },
      bridged: {
        description: "an address of its own behind the host's firewall",
        meant: ["bridge"],
      },
      host: { description: "the host's", meant: ["true", "on", "yes", "full"] },
    },
  },
  "allow-domain": {
    group: "network",
    kind: "text",
    metavar: "DOMAIN",
    repeatable: true,
    description: "Add a domain to the allow-list for this run: example.org, *.example.org, example.org:443, @npm",
  },
  "allow-egress": {
    group: "network",
    kind: "text",
    metavar: "CIDR:PORT",
    repeatable: true,
    description: "Add an address range and port to the allow-list for this run: 10.1.2.0/24:5432, [2001:db8::/32]:*",
  },
  publish: {
    group: "network",
    kind: "text",
    metavar: "[IP:]PORT:PORT",
    repeatable: true,
    description: "Let a TCP port of the host, on its loopback if no address is given, reach a port of the zone",
  },

  timeout: {
    group: "limits",
    kind: "duration",
    metavar: "DURATION",
    description: "Wall-clock limit; 0 waits for ever",
    default: "the policy's (task: 1h)",
  },
  memory: {
    group: "limits",
    kind: "size",
    metavar: "BYTES",
    // The policy key's bound, and docker's: in less, nothing starts but to be killed.
    min: 6 * mebi,
    description: "Memory of the zone, swap included",
    default: "the policy's (task: 4Gi)",
  },
  cpus: {
    group: "limits",
    kind: "decimal",
    metavar: "N",
    min: 0.01,
    max: 8192,
    description: "How many CPUs' worth of time, for example 1.5",
    default: "the policy's",
  },
  pids: {
    group: "limits",
    kind: "integer",
    metavar: "N",
    min: 1,
    max: 4_194_304,
    description: "Processes and threads at the same time",
    default: "the policy's (task: 512)",
  },
  "limit-cpu": {
    group: "limits",
    kind: "seconds",
    metavar: "SECONDS",
    min: 1,
    description: "CPU time of each process",
  },
  "limit-as": { group: "limits", kind: "size", metavar: "BYTES", min: 1, description: "Address space of each process" },
  "limit-fsize": { group: "limits", kind: "size", metavar: "BYTES", description: "Size of each file written" },
  "limit-nofile": {
    group: "limits",
    kind: "integer",
    metavar: "N",
    min: 32,
    max: 1_073_741_816,
    description: "Open files of each process",
    default: "the policy's (task: 8192)",
  },
  "limit-core": { group: "limits", kind: "size", metavar: "BYTES", description: "Size of a core dump" },

  interactive: {
    group: "io",
    kind: "boolean",
    short: "i",
    description: "Your terminal's keys reach the task; a pipe or file on stdin does without it",
  },
  tty: { group: "io", kind: "boolean", short: "t", description: "Give the task a terminal of the zone's own" },
  stream: { group: "io", kind: "boolean", description: "The task's stdin, stdout and stderr are your own" },
  json: {
    group: "io",
    kind: "boolean",
    negatable: true,
    description: "The result as one JSON object on stdout; --no-json: the task's output and a summary line",
    default: "JSON when stdout is not a terminal",
  },
  result: { group: "io", kind: "host-file", metavar: "FILE", description: "Write the JSON result to FILE" },
  "result-fd": {
    group: "io",
    kind: "integer",
    metavar: "N",
    min: 1,
    max: 1_048_576,
    description: "Write the JSON result to this open file descriptor",
  },
  "max-output": {
    group: "io",
    kind: "size",
    metavar: "BYTES",
    max: 512 * mebi,
    description: "Cap for each captured stream; the result says what was cut",
    default: "8Mi",
  },
  help: { group: "io", kind: "boolean", short: "h", description: "Print this help" },
} as const satisfies FlagTable;

/** 8 MiB of each stream are kept unless --max-output says otherwise. */
export const defaultMaxOutputBytes = 8 * mebi;
