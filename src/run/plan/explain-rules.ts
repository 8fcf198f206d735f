import type { Origin } from "../diagnostic.ts";
import { type Policy, policyOrigin } from "../policy/policy.ts";
import type { PlanInputs } from "./draft.ts";

/** One entry of a list that a zone is held to, in words, and who wrote it. */
export interface ExplainedRule {
  readonly rule: string;
  readonly origin: Origin;
}

/**
 * The lists that ops hold a zone to without naming each entry: who may be reached, what the system call filter was told, which
 * variables enter. Of variables the names alone: their values may be secrets.
 */
export function explainRules({ request, policy }: Pick<PlanInputs, "request" | "policy">): ExplainedRule[] {
  const { network, syscalls, env } = policy;
  const mode = request.network ?? network.mode;
  const filtered = mode === "filtered";
  const bridged = mode === "bridged";
  const out = filtered || bridged;
  return [
    ...(filtered ? listed(policy, "network.allowed_domains", network.allowedDomains, "reach") : []),
    ...flagged("--allow-domain", request.allowDomains, "reach"),
    ...(filtered ? listed(policy, "network.denied_domains", network.deniedDomains, "never reach") : []),
    ...(out ? listed(policy, "network.allowed_egress", network.allowedEgress, "reach") : []),
    ...flagged("--allow-egress", request.allowEgress, "reach"),
    ...(bridged ? listed(policy, "network.allowed_ingress", network.allowedIngress, "be reached from") : []),
    ...(bridged ? listed(policy, "network.allowed_zones", network.allowedZones, "meet zone") : []),
    ...flagged("--publish", request.publish, "be reached by the host's port"),
    ...listed(policy, "syscalls.deny", syscalls.deny, "never call"),
    ...listed(policy, "syscalls.allow", syscalls.allow, "call"),
    ...listed(policy, "env.pass", env.pass, "have the caller's variable"),
    ...flagged("--env-pass", request.envPass, "have the caller's variable"),
    ...Object.keys(env.set).map((name) => ({
      rule: `have variable ${name}`,
      origin: policyOrigin(policy, `env.set.${name}`),
    })),
    ...flagged(
      "--env",
      request.env.map(({ name }) => name),
      "have variable",
    ),
  ];
}

function listed(policy: Policy, key: string, entries: readonly string[], verb: string): ExplainedRule[] {
  return entries.map((entry, index) => ({
    rule: `${verb} ${entry}`,
    origin: policyOrigin(policy, `${key}[${index}]`),
  }));
}

function flagged(flag: string, entries: readonly string[] | undefined, verb: string): ExplainedRule[] {
  return (entries ?? []).map((entry, index) => ({
    rule: `${verb} ${entry}`,
    origin: { kind: "flag", flag, index: index + 1 },
  }));
}
