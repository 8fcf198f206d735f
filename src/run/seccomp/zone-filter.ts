import type { Diagnostic } from "../diagnostic.ts";
import type { HostFacts } from "../host-facts.ts";
import { type Policy, policyOrigin } from "../policy/policy.ts";
import { shippedFilter } from "./shipped.ts";
import { deniedForView } from "./view-calls.ts";

/** The filter of a zone, as `struct sock_filter[]`. */
export interface ZoneFilter {
  readonly filter: Uint8Array;
  /** Denied calls go to a listener, which makes events of them. */
  readonly listen: boolean;
  /** `default`, or the profile's file. */
  readonly profile: string;
  readonly warnings: readonly Diagnostic[];
  /** Allowed calls that are told of besides, as the op `watch` takes them: in a zone that is there to learn from. */
  readonly watched?: Uint8Array | undefined;
}

export type ZoneFilterOutcome =
  | { readonly ok: true; readonly filter: ZoneFilter }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

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
