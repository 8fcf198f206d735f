import type { Backend } from "../run/backend.ts";
import type { PlanInputs } from "../run/plan/draft.ts";
import type { NetworkPart } from "../run/plan/network/part.ts";
import type { NetworkMode } from "../run/policy/policy.ts";
import type { ZoneNetwork } from "../run/zone-network.ts";

/** The network of one run: what it adds to the plan, and the host's side of it while the zone lives. */
export interface NetworkRun {
  readonly part: NetworkPart;
  readonly network?: ZoneNetwork;
}

/** Prepares the network of a run whose mode is not none. Nothing is made yet. */
export async function openNetworkRun(
  backend: Backend,
  inputs: PlanInputs,
  mode: Exclude<NetworkMode, "none">,
): Promise<NetworkRun> {
  switch (mode) {
    case "filtered":
      return { part: (await import("../run/plan/network/filtered.ts")).filteredPart(inputs, hasIpv6(backend)) };
    case "host":
      return { part: (await import("../run/plan/network/host.ts")).hostPart(inputs) };
    case "bridged":
      return bridgedRun(backend, inputs);
  }
}

/** The kernel has this file where it has IPv6, and an address in it where that is not switched off. */
function hasIpv6({ io }: Backend): boolean {
  const addresses = io.readText("/proc/net/if_inet6", 1 << 20);
  return "text" in addresses && addresses.text !== "";
}

const resolverFiles = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
const resolverBytes = 1 << 16;

async function bridgedRun(backend: Backend, inputs: PlanInputs): Promise<NetworkRun> {
  const { bridgedPart, readResolvers } = await import("../run/plan/network/bridged.ts");
  const texts = resolverFiles.map((path) => backend.io.readText(path, resolverBytes));
  const part = bridgedPart(inputs, readResolvers(texts.flatMap((file) => ("text" in file ? [file.text] : []))));
  if (part.problems.length > 0) return { part };
  return { part, network: (await backend.networks()).bridged(inputs.request.zoneId, part.zoneRules) };
}
