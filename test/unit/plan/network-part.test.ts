/** What network modes add to a plan. */
import { describe, expect, test } from "bun:test";
import { hostPart } from "../../../src/run/plan/network/host.ts";
import type { NetworkPart } from "../../../src/run/plan/network/part.ts";
import { plan } from "../../../src/run/plan/planner.ts";
import { inputs, planned, policyWith, refused, rootFacts } from "./inputs.ts";

const CLONE_NEWNET = 0x40000000;

function withPart(part: (given: ReturnType<typeof inputs>) => NetworkPart, changes: Parameters<typeof inputs>[0]) {
  const given = inputs(changes);
  return plan({ ...given, network: part(given) });
}

describe("network mode host", () => {
  const privileged = { facts: rootFacts, policy: policyWith({}, "privileged") };

  test("leaves out the namespace and its loopback, and promises neither them nor rules", () => {
    const outcome = withPart(hostPart, privileged);
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics));
    const [namespaces] = outcome.plan.ops.flatMap(({ op }) =>
      op.op === "namespaces" ? [op.flags & CLONE_NEWNET] : [],
    );
    expect(namespaces).toBe(0);
    expect(outcome.plan.ops.some(({ op }) => op.op === "loopback")).toBe(false);
    expect(outcome.plan.guarantees.filter(({ name }) => name.startsWith("network_"))).toEqual([
      { name: "network_rules", state: "not_requested", mechanism: null, ops: [] },
    ]);
  });

  test("copies the resolvers before the root is shut", () => {
    const outcome = withPart(hostPart, privileged);
    const ops = outcome.ok ? outcome.plan.ops.map(({ op }) => op) : [];
    const resolvers = ops.findIndex((op) => op.op === "copy" && op.target === "/etc/resolv.conf");
    expect(resolvers).toBeGreaterThan(0);
    expect(resolvers).toBeLessThan(ops.findIndex((op) => op.op === "pivot"));
  });

  test("is refused for an ordinary policy, and for rules that it can't keep: all of it at once", () => {
    const policy = policyWith({ network: { allowedEgress: ["0.0.0.0/0:443"], allowedDomains: ["example.org"] } });
    const outcome = withPart(hostPart, { facts: rootFacts, policy, request: { network: "host" } });
    const found = outcome.ok ? [] : outcome.diagnostics;
    expect(found.map(({ code }) => code)).toEqual(["permission", "unenforceable", "unenforceable"]);
    expect(found.map(({ message }) => message).join()).toContain("network.allowed_domains can't be enforced");
  });

  test("nobody but root runs a privileged policy", () => {
    const outcome = withPart(hostPart, { policy: policyWith({}, "privileged") });
    expect(outcome.ok ? [] : outcome.diagnostics.map(({ code }) => code)).toContain("permission");
  });
});

describe("a mode that was not prepared", () => {
  test.each(["filtered", "bridged", "host"] as const)("%s is refused", (network) => {
    expect(refused({ request: { network } })).toContainEqual(expect.objectContaining({ code: "unsupported" }));
  });

  test("none needs no preparation", () => {
    expect(planned({}).ops.some(({ op }) => op.op === "loopback")).toBe(true);
  });
});
