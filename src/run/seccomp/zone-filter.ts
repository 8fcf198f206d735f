import type { HostFacts } from "../host-facts.ts";
import { type Policy, policyOrigin } from "../policy/policy.ts";
import { shippedFilter } from "./shipped.ts";
import { deniedForView } from "./view-calls.ts";
import type { ZoneFilterOutcome } from "./zone-compile.ts";

/** What the launcher itself calls to hand the listener over, after the filter is on: a listener can't be asked about it. */
const handOver = "sendmsg";

/**
 * The filter that a policy asks for. One that was compiled at build time is only looked up; any other loads the compiler, and
 * a profile of the user's the JSON reader besides. `readText` reads a profile's file: its text, or why it can't be read.
 */
export async function zoneFilter(
  policy: Policy,
  facts: HostFacts,
  readText: (path: string) => { readonly text: string } | { readonly problem: string },
): Promise<ZoneFilterOutcome> {
  const { profile, allow } = policy.syscalls;
  const deny = [...policy.syscalls.deny, ...deniedForView(policy)];
  const inputs = { arch: facts.arch, capabilities: policy.capabilities.allowed, deny, allow };
  const listen = !deny.includes(handOver);
  if (profile === "default") {
    const shipped = shippedFilter(inputs, listen ? "notify" : "errno");
    if (shipped !== undefined) return { ok: true, filter: { filter: shipped, listen, profile, warnings: [] } };
  }
  const { compileZoneFilter } = await import("./zone-compile.ts");
  const origin = (key: string) => policyOrigin(policy, key);
  return compileZoneFilter(profile, { ...inputs, kernel: facts.kernel, origin }, readText);
}
