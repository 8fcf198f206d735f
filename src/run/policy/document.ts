import type { Policy } from "./policy.ts";

/** A policy in the shape of its text: sections of snake_case keys, and values that the schema's forms read. */
export type PolicyTree = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The text form of a policy, every key said; a limit that is not set is absent. `resolvePolicy` is the way back. */
export function policyTree({
  zone,
  capabilities,
  resources,
  limits,
  network,
  filesystem,
  image,
  ...rest
}: Policy): PolicyTree {
  return {
    zone: { type: zone.type },
    capabilities: { allowed: capabilities.allowed },
    resources: said({
      cpu_shares: resources.cpuShares,
      cpus: resources.cpus,
      memory_limit: resources.memoryLimitBytes,
      io_weight: resources.ioWeight,
      pids_max: resources.pidsMax,
    }),
    limits: said({
      walltime: limits.walltimeMs / 1000,
      cpu: limits.cpuSeconds,
      as: limits.asBytes,
      fsize: limits.fsizeBytes,
      nofile: limits.nofile,
      core: limits.coreBytes,
    }),
    network: {
      mode: network.mode,
      allowed_zones: network.allowedZones,
      allowed_egress: network.allowedEgress,
      allowed_ingress: network.allowedIngress,
      allowed_domains: network.allowedDomains,
      denied_domains: network.deniedDomains,
    },
    filesystem: {
      root: filesystem.root,
      readable_paths: filesystem.readablePaths,
      writable_paths: filesystem.writablePaths,
      denied_paths: filesystem.deniedPaths,
      allowed_sockets: filesystem.allowedSockets,
      shared_layers: filesystem.sharedLayers,
      tmp_size: filesystem.tmpSizeBytes,
      tmp_inodes: filesystem.tmpInodes,
    },
    image: {
      layer_size: image.layerSizeBytes,
      layer_entries: image.layerEntries,
      layer_ratio: image.layerRatio,
    },
    devices: { allowed: rest.devices.allowed },
    syscalls: { profile: rest.syscalls.profile, deny: rest.syscalls.deny, allow: rest.syscalls.allow },
    env: { pass: rest.env.pass, set: rest.env.set },
    enforcement: { require: rest.enforcement.require },
  };
}

/** The keys that are set. */
function said(keys: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== null));
}
