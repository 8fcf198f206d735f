import type { Policy } from "../../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";

/** A policy that allows every capability, since the tests' zones keep root's; `change` says what else. */
export function policyOf(change: (policy: Policy) => Partial<Policy> = () => ({})): Policy {
  const task = shippedPolicies["task"];
  if (task === undefined) throw new Error("no policy task");
  const all = shippedPolicies["privileged"]?.capabilities ?? task.capabilities;
  const base = { ...task, capabilities: { allowed: allCapabilities(all.allowed) } };
  return { ...base, ...change(base) };
}

function allCapabilities(known: readonly string[]): readonly string[] {
  const needed = [
    "CAP_SYS_ADMIN",
    "CAP_SYS_PTRACE",
    "CAP_KILL",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_SYS_NICE",
  ];
  return [
    ...new Set([
      ...known,
      ...needed,
      "CAP_NET_ADMIN",
      "CAP_NET_RAW",
      "CAP_SYS_RESOURCE",
      "CAP_PERFMON",
      "CAP_BPF",
      "CAP_SYS_MODULE",
    ]),
  ];
}

/** The network lists of a policy. */
export function network(change: Partial<Policy["network"]>): (policy: Policy) => Partial<Policy> {
  return (policy) => ({ network: { ...policy.network, ...change } });
}
