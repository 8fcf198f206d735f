import type { Origin } from "../diagnostic.ts";

/**
 * A policy after parsing, `extends` and defaults: plain data in the units of the kernel. Nothing is permitted
 * unless listed. `null` means: not limited by this policy. The text form is SPEC.md section 2; its keys are
 * the snake_case of these without the unit (`memoryLimitBytes` is `memory_limit`).
 */
export interface Policy {
  /** Name of a shipped policy, or the file's `zone.name`, or the file's base name without `.toml`. */
  readonly name: string;
  /** `sha256:` and 64 hex digits over the canonical JSON of every key below, defaults filled in. */
  readonly hash: string;
  readonly zone: { readonly type: "non-global" | "privileged" };
  readonly capabilities: { readonly allowed: readonly string[] };
  readonly resources: {
    /** As docker's --cpu-shares, 2 to 262144; 1024 is one share. */
    readonly cpuShares: number | null;
    readonly cpus: number | null;
    readonly memoryLimitBytes: number | null;
    /** cgroup v2 io.weight, 1 to 10000. */
    readonly ioWeight: number | null;
    readonly pidsMax: number | null;
  };
  readonly limits: {
    /** 0: wait for ever. */
    readonly walltimeMs: number;
    readonly cpuSeconds: number | null;
    readonly asBytes: number | null;
    readonly fsizeBytes: number | null;
    readonly nofile: number | null;
    readonly coreBytes: number | null;
  };
  readonly network: {
    readonly mode: NetworkMode;
    readonly allowedZones: readonly string[];
    readonly allowedEgress: readonly string[];
    readonly allowedIngress: readonly string[];
    readonly allowedDomains: readonly string[];
    readonly deniedDomains: readonly string[];
  };
  readonly filesystem: {
    readonly root: "host" | "image" | "empty";
    /** Absolute paths of the host, visible read-only at the same place. */
    readonly readablePaths: readonly string[];
    /** In a zone: `/tmp`-like scratch where the host's path is not meant; see the planner's section `filesystem`. */
    readonly writablePaths: readonly string[];
    readonly deniedPaths: readonly string[];
    readonly allowedSockets: readonly string[];
    readonly sharedLayers: boolean;
    readonly tmpSizeBytes: number;
    readonly tmpInodes: number;
  };
  /** What each layer of an image may be, when it is unpacked. */
  readonly image: {
    readonly layerSizeBytes: number;
    readonly layerEntries: number;
    /** How many times larger than its packed form. */
    readonly layerRatio: number;
  };
  readonly devices: { readonly allowed: readonly string[] };
  readonly syscalls: {
    /** `default`, or the absolute path of a profile in the containers' seccomp JSON format. */
    readonly profile: string;
    readonly deny: readonly string[];
    readonly allow: readonly string[];
  };
  readonly env: { readonly pass: readonly string[]; readonly set: Readonly<Record<string, string>> };
  readonly enforcement: { readonly require: "any" | "landlock" | "bpf-lsm" };
  /** The shipped policy that a file extends, in the end: what `places` does not have, it said. Absent for a shipped policy. */
  readonly base?: string | undefined;
  /**
   * Where each key was said, by dotted path (`resources.memory_limit`, `filesystem.writable_paths[2]`): file, line and column for
   * a policy file of the user's. Empty for a shipped policy: `policyOrigin` then names policy and key.
   */
  readonly places: Readonly<Record<string, PolicyPlace>>;
}

/** Whom a zone can reach; docs/network.md. */
export type NetworkMode = "none" | "filtered" | "bridged" | "host";

/** A place in a policy file; lines and columns from 1. */
export interface PolicyPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The key of the list that an item is of. Without a regular expression: a start asks for a dozen origins. */
function listOf(key: string): string {
  return key.endsWith("]") ? key.slice(0, key.lastIndexOf("[")) : key;
}

/** The origin of a policy's key, with file, line and column where they are known. */
export function policyOrigin(policy: Policy, key: string): Origin {
  const place = policy.places[key] ?? policy.places[listOf(key)];
  if (place === undefined) return { kind: "policy", policy: policy.base ?? policy.name, key };
  return { kind: "policy", policy: policy.name, key, ...place };
}
