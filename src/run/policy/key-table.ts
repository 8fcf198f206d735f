import { capabilityNames } from "../capabilities.ts";
import { domainForm } from "./domain.ts";
import { endpointForm } from "./endpoint.ts";
import { booleanForm, read, textForm, wrong } from "./form.ts";
import { type DataOf, limit, list, section, table, value } from "./key-spec.ts";
import {
  capabilityForm,
  envNameForm,
  envNamePattern,
  syscallForm,
  syscallPattern,
  wordForm,
  zoneNameForm,
  zoneNamePattern,
} from "./names.ts";
import { deviceForm, placeForm, profileForm } from "./paths.ts";
import { durationForm, integerForm, numberForm, secondsForm, sizeForm } from "./quantities.ts";

/**
 * The keys of a policy: each with its form, and with what the JSON Schema says of it. What is not here is refused. The reader
 * (`reader.ts`) and the schema that `rauha schema policy` prints (`schema.ts`) both go by this table.
 */

const MiB = 1024 ** 2;
/** Sizes as docker has them: below 6 MiB no process starts. */
const memory = { min: 6 * MiB } as const;
/** What the launcher itself has open when it sets the limit, and some more. */
const fewestFiles = 32;

const size = {
  type: ["string", "integer"],
  pattern: "^[0-9]+(\\.[0-9]+)?([KMGTkmgt]?[Bb]?|[KMGTkmgt]i[Bb]?)$|^unlimited$",
  minimum: 0,
} as const;
const duration = {
  type: ["string", "number"],
  pattern: "^[0-9]+(\\.[0-9]+)?$|^([0-9.]+(d|h|m|s|ms))+$|^unlimited$",
  minimum: 0,
} as const;
const integer = (minimum: number, maximum: number) =>
  ({ type: ["integer", "string"], minimum, maximum, pattern: "^unlimited$" }) as const;
const absolutePath = { type: "string", pattern: "^/" } as const;
const endpoint = { type: "string", examples: ["0.0.0.0/0:443", "[2001:db8::/32]:8000-8999"] } as const;
const domain = { type: "string", examples: ["example.org", "*.example.org", "@npm"] } as const;

const text = textForm("text", (words) => (words.includes("\0") ? wrong("a NUL byte in the value") : read(words)));

/** What may stand at the top of a policy besides its sections. */
export const extendsKey = value(
  textForm("the name of a shipped policy or the path of a policy file", (name) =>
    name === "" ? wrong("an empty name") : read(name),
  ),
  {
    type: "string",
    description:
      "Start from this policy: the name of a shipped one, or a file relative to this one. A key said here replaces the key there.",
    examples: ["task", "./base.toml"],
  },
);

export const policySections = {
  zone: section("What the policy is called and what kind of zone it makes", {
    name: value(zoneNameForm, {
      type: "string",
      pattern: zoneNamePattern.source,
      description: "Name of the policy; without it, the file's",
    }),
    type: value(wordForm(["non-global", "privileged"]), {
      enum: ["non-global", "privileged"],
      description: "privileged: may use the host's network, and root keeps the host's user namespace",
    }),
  }),
  capabilities: section("What of root's power the task keeps", {
    allowed: list(capabilityForm, { type: "string", enum: capabilityNames }, "Capabilities of capabilities(7)"),
  }),
  resources: section("Limits of the zone as a whole, by cgroup", {
    cpu_shares: limit(integerForm({ min: 2, max: 262_144 }), {
      ...integer(2, 262_144),
      description: "Weight against other zones; 1024 is one share",
    }),
    cpus: limit(numberForm({ min: 0.01, max: 8192 }), {
      type: ["number", "string"],
      minimum: 0.01,
      maximum: 8192,
      pattern: "^unlimited$",
      description: "Processors' worth of time, 1.5 for one and a half",
    }),
    memory_limit: limit(sizeForm(memory), {
      ...size,
      description: "Memory of the whole zone, its tmpfs included",
      examples: ["4Gi"],
    }),
    io_weight: limit(integerForm({ min: 1, max: 10_000 }), {
      ...integer(1, 10_000),
      description: "Weight for block devices; 100 is the kernel's default",
    }),
    pids_max: limit(integerForm({ min: 2, max: 4_194_304 }), {
      ...integer(2, 4_194_304),
      description: "Processes and threads at one time",
    }),
  }),
  limits: section("The wall clock, and limits of each process (setrlimit(2))", {
    walltime: limit(durationForm(), {
      ...duration,
      description: "Wall-clock time of a task; 0 waits for ever",
      examples: ["1h"],
    }),
    cpu: limit(secondsForm({ min: 1 }), {
      ...duration,
      description: "Processor time, whole seconds (RLIMIT_CPU)",
      examples: ["10m"],
    }),
    as: limit(sizeForm({ min: 16 * MiB }), { ...size, description: "Address space (RLIMIT_AS)" }),
    fsize: limit(sizeForm({ min: 0 }), { ...size, description: "Size of a written file (RLIMIT_FSIZE)" }),
    nofile: limit(integerForm({ min: fewestFiles, max: 1 << 30 }), {
      ...integer(fewestFiles, 1 << 30),
      description: "Open files (RLIMIT_NOFILE)",
    }),
    core: limit(sizeForm({ min: 0 }), { ...size, description: "Size of a core dump (RLIMIT_CORE)" }),
  }),
  network: section("Who the task may talk to", {
    mode: value(wordForm(["none", "isolated", "filtered", "bridged", "host"]), {
      enum: ["none", "isolated", "filtered", "bridged", "host"],
      description:
        "none, or isolated: loopback only; filtered: out through a filter; bridged: an address of its own; host: the host's network",
    }),
    allowed_zones: list(
      zoneNameForm,
      { type: "string", pattern: zoneNamePattern.source },
      "Zones that this one may contact",
    ),
    allowed_egress: list(endpointForm, endpoint, "CIDR:PORT that may be connected to"),
    allowed_ingress: list(endpointForm, endpoint, "CIDR that may connect, and the zone's port"),
    allowed_domains: list(domainForm, domain, "Names that may be connected to, in mode filtered"),
    denied_domains: list(domainForm, domain, "Names that may not, whatever is allowed"),
  }),
  filesystem: section("What files the task sees", {
    root: value(wordForm(["host", "image", "empty"]), {
      enum: ["host", "image", "empty"],
      description: "host: a minimal read-only view of the host; image: an OCI image; empty: only what is listed",
    }),
    readable_paths: list(placeForm, absolutePath, "Paths of the host that are visible, read-only"),
    writable_paths: list(
      placeForm,
      absolutePath,
      "Scratch directories of the zone; inside the workspace, paths that stay writable",
    ),
    denied_paths: list(placeForm, absolutePath, "Paths that are hidden, whatever shows what is above them"),
    allowed_sockets: list(placeForm, absolutePath, "Unix sockets of the host that are visible"),
    shared_layers: value(booleanForm, {
      type: "boolean",
      description: "Zones of the same image share its read-only layers",
    }),
    tmp_size: value(sizeForm({ min: MiB }), {
      ...size,
      pattern: size.pattern.replace("|^unlimited$", ""),
      description: "All writable tmpfs of the zone together",
    }),
    tmp_inodes: value(integerForm({ min: 1024, max: 1 << 30 }), {
      type: "integer",
      minimum: 1024,
      maximum: 1 << 30,
      description: "Files and directories on them",
    }),
  }),
  image: section("What an image may hold before it is refused as a bomb", {
    layer_size: value(sizeForm({ min: MiB }), {
      ...size,
      pattern: size.pattern.replace("|^unlimited$", ""),
      description: "Each layer, out of its compression, and each file of it, holes included",
    }),
    layer_entries: value(integerForm({ min: 1, max: 1 << 30 }), {
      type: "integer",
      minimum: 1,
      maximum: 1 << 30,
      description: "Files, directories, links and whiteouts of each layer",
    }),
    layer_ratio: value(integerForm({ min: 1, max: 1_000_000 }), {
      type: "integer",
      minimum: 1,
      maximum: 1_000_000,
      description: "How many times its packed size a layer may have, asked above 256Mi",
    }),
  }),
  devices: section("Devices besides those of every zone (null, zero, full, random, urandom, tty)", {
    allowed: list(deviceForm, { type: "string", pattern: "^/dev/" }, "Device nodes of the host"),
  }),
  syscalls: section("What the task may ask of the kernel", {
    profile: value(profileForm, {
      type: "string",
      description: "default, or a seccomp profile in the containers' JSON format",
    }),
    deny: list(syscallForm, { type: "string", pattern: syscallPattern.source }, "System calls to refuse besides"),
    allow: list(syscallForm, { type: "string", pattern: syscallPattern.source }, "System calls to allow besides"),
  }),
  env: section("What of the caller's environment enters", {
    pass: list(
      envNameForm,
      { type: "string", pattern: envNamePattern.source },
      "Variables of the caller's that are handed in",
    ),
    set: table(
      { form: envNameForm, json: { type: "string", pattern: envNamePattern.source } },
      { form: text, json: { type: "string" } },
      "Variables that are set; they win over those handed in",
    ),
  }),
  enforcement: section("What the host must have", {
    require: value(wordForm(["any", "landlock", "bpf-lsm"]), {
      enum: ["any", "landlock", "bpf-lsm"],
      description: "Refuse to run where the kernel doesn't have this mechanism",
    }),
  }),
} as const;

type Sections = typeof policySections;

/** A policy as its text says it, in the kernel's units; what it doesn't say is absent. */
export type PolicyDocument = {
  readonly [S in keyof Sections]?: {
    readonly [K in keyof Sections[S]["keys"]]?: DataOf<Sections[S]["keys"][K]>;
  };
};

/** What may stand at the top of a policy. */
export const topLevelKeys: readonly string[] = ["extends", ...Object.keys(policySections)];

/** The keys of each section. */
export const policyKeys: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(policySections).map(([name, { keys }]) => [name, Object.keys(keys)]),
);

/** Sections that have a key of this name. */
export function sectionsWith(key: string): string[] {
  return [...policyKeys].filter(([, keys]) => keys.includes(key)).map(([section]) => section);
}
