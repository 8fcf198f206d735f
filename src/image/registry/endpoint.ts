/** Where a repository is to be had: the mirrors of its registry, then the registry itself. */
import type { Reference } from "../reference.ts";
import { isLoopback } from "./proxy.ts";
import type { RegistryConfig } from "./registry-config.ts";

export interface Endpoint {
  /** Host and port to connect to. */
  readonly host: string;
  /** The registry whose credentials are its: a mirror has its own, or none. */
  readonly registry: string;
  readonly repository: string;
  readonly insecure: boolean;
  readonly ca: string | undefined;
  readonly isMirror: boolean;
}

/** Docker Hub's name and address differ. */
const addresses: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/** In the order in which they are asked. Pure. */
export function endpointsOf(reference: Reference, config: RegistryConfig): Endpoint[] {
  const mirrors = config.registries.get(reference.registry)?.mirrors ?? [];
  const own = endpoint(reference.registry, reference.repository, false, config);
  return [...mirrors.map((mirror) => mirrorOf(mirror, reference, config)), own];
}

function mirrorOf(mirror: string, reference: Reference, config: RegistryConfig): Endpoint {
  const slash = mirror.indexOf("/");
  const registry = slash < 0 ? mirror : mirror.slice(0, slash);
  const prefix = slash < 0 ? "" : `${mirror.slice(slash + 1)}/`;
  return endpoint(registry, `${prefix}${reference.repository}`, true, config);
}

function endpoint(registry: string, repository: string, isMirror: boolean, config: RegistryConfig): Endpoint {
  const settings = config.registries.get(registry);
  const hostname = registry.replace(/:[0-9]+$/, "");
  return {
    host: addresses[registry] ?? registry,
    registry,
    repository,
    // As docker does: what is on this machine needs no certificate.
    insecure: settings?.insecure ?? isLoopback(hostname),
    ca: settings?.ca,
    isMirror,
  };
}
