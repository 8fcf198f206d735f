import type { PolicyTree } from "./document.ts";
import type { PolicyRules } from "./hash.ts";
import type { PolicyDocument } from "./key-table.ts";
import { readDocument } from "./reader.ts";

/** Everything a policy says in its rules; what it does not say is not permitted, and a limit it does not set is none. */
export function resolveRules(tree: PolicyTree): PolicyRules {
  const { document, problems } = readDocument(tree);
  // Each file was read by itself, and without problems: a rule that is lost here would be one that is not enforced.
  if (problems.length > 0) throw new Error(`policies merge into what is no policy: ${problems[0]?.message}`);
  return withDefaults(document);
}

const GiB = 1024 ** 3;

/** All defaults in one place. */
function withDefaults(said: PolicyDocument): PolicyRules {
  const mode = said.network?.mode ?? "none";
  return {
    zone: { type: said.zone?.type ?? "non-global" },
    capabilities: { allowed: said.capabilities?.allowed ?? [] },
    resources: {
      cpuShares: said.resources?.cpu_shares ?? null,
      cpus: said.resources?.cpus ?? null,
      memoryLimitBytes: said.resources?.memory_limit ?? null,
      ioWeight: said.resources?.io_weight ?? null,
      pidsMax: said.resources?.pids_max ?? null,
    },
    limits: {
      walltimeMs: said.limits?.walltime ?? 0,
      cpuSeconds: said.limits?.cpu ?? null,
      asBytes: said.limits?.as ?? null,
      fsizeBytes: said.limits?.fsize ?? null,
      nofile: said.limits?.nofile ?? null,
      coreBytes: said.limits?.core ?? null,
    },
    network: {
      mode: mode === "isolated" ? "none" : mode,
      allowedZones: said.network?.allowed_zones ?? [],
      allowedEgress: said.network?.allowed_egress ?? [],
      allowedIngress: said.network?.allowed_ingress ?? [],
      allowedDomains: said.network?.allowed_domains ?? [],
      deniedDomains: said.network?.denied_domains ?? [],
    },
    filesystem: {
      root: said.filesystem?.root ?? "host",
      readablePaths: said.filesystem?.readable_paths ?? [],
      writablePaths: said.filesystem?.writable_paths ?? [],
      deniedPaths: said.filesystem?.denied_paths ?? [],
      allowedSockets: said.filesystem?.allowed_sockets ?? [],
      sharedLayers: said.filesystem?.shared_layers ?? false,
      tmpSizeBytes: said.filesystem?.tmp_size ?? GiB,
      tmpInodes: said.filesystem?.tmp_inodes ?? 262_144,
    },
    image: {
      layerSizeBytes: said.image?.layer_size ?? 64 * GiB,
      layerEntries: said.image?.layer_entries ?? 2_000_000,
      layerRatio: said.image?.layer_ratio ?? 300,
    },
    devices: { allowed: said.devices?.allowed ?? [] },
    syscalls: {
      profile: said.syscalls?.profile ?? "default",
      deny: said.syscalls?.deny ?? [],
      allow: said.syscalls?.allow ?? [],
    },
    env: { pass: said.env?.pass ?? [], set: { ...said.env?.set } },
    enforcement: { require: said.enforcement?.require ?? "any" },
  };
}
