/** What network modes add to a plan. */
import { describe, expect, test } from "bun:test";
import { bridgedPart, readResolvers } from "../../../src/run/plan/network/bridged.ts";
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

describe("network mode bridged", () => {
  const resolvers = readResolvers(["nameserver 192.0.2.53\nsearch example.org\n"]);
  const part = (given: ReturnType<typeof inputs>) => bridgedPart(given, resolvers);
  const network = { mode: "bridged", allowedEgress: ["0.0.0.0/0:443", "10.1.0.0/16:*"], allowedZones: ["db"] } as const;
  const root = { facts: rootFacts, policy: policyWith({ network }) };

  test("waits at the gate after loopback is up, and says what it will be let do", () => {
    const outcome = withPart(part, root);
    const ops = outcome.ok ? outcome.plan.ops : [];
    const gate = ops.findIndex(({ op }) => op.op === "network_gate");
    expect(gate).toBe(ops.findIndex(({ op }) => op.op === "loopback") + 1);
    expect(ops[gate]?.intent).toContain("out to 0.0.0.0/0:443, 10.1.0.0/16:*; in from nothing; zones db");
    const rules = outcome.ok ? outcome.plan.guarantees.find(({ name }) => name === "network_rules") : undefined;
    expect(rules).toMatchObject({ state: "enforced", ops: [gate] });
    expect(rules?.mechanism).toContain("nftables");
  });

  test("hands its rules on as data, IPv4 alone, and warns of what has no effect", () => {
    const policy = policyWith({ network: { ...network, allowedEgress: ["[2001:db8::/32]:443", "192.0.2.1:80-90"] } });
    const { zoneRules, warnings, problems } = part(inputs({ ...root, policy }));
    expect(zoneRules.egress).toEqual([{ address: [192, 0, 2, 1], prefix: 32, ports: [80, 90] }]);
    expect(zoneRules).toMatchObject({ name: "task", allowedZones: ["db"], resolvers: [[192, 0, 2, 53]] });
    expect(warnings.map(({ message }) => message).join()).toContain("bridged zones have no IPv6");
    expect(problems).toEqual([]);
  });

  test("is root's, and refuses rules about names: all of it at once", () => {
    const policy = policyWith({ network: { ...network, allowedDomains: ["example.org"], deniedDomains: ["x.org"] } });
    const { problems } = part(inputs({ policy }));
    expect(problems.map(({ code }) => code)).toEqual(["permission", "unenforceable", "unenforceable"]);
    const few = { ...rootFacts, capabilities: rootFacts.capabilities & ~(1n << 12n) };
    expect(part(inputs({ ...root, facts: few })).problems.map(({ code }) => code)).toEqual(["permission"]);
  });

  test("takes what flags add: addresses and published ports, and no name", () => {
    const request = { allowEgress: ["192.0.2.7:22"], publish: ["8080:80"] };
    const given = inputs({ facts: rootFacts, policy: policyWith({ network: { mode: "bridged" } }), request });
    expect(part(given).zoneRules).toMatchObject({
      egress: [{ address: [192, 0, 2, 7], prefix: 32, ports: [22, 22] }],
      publish: [{ address: [127, 0, 0, 1], port: 8080, zonePort: 80 }],
    });
    const outcome = withPart(part, { ...given, request: { ...request, allowDomains: ["example.org"] } });
    expect(outcome.ok ? [] : outcome.diagnostics).toMatchObject([
      { code: "usage", origin: { flag: "--allow-domain" }, hint: "add --network filtered" },
    ]);
  });

  test("says what is wrong with each of them", () => {
    const request = { allowEgress: ["192.0.2.7", "[2001:db8::1]:443"], publish: ["80"] };
    const { problems } = part(inputs({ ...root, request }));
    expect(problems.map(({ code, origin }) => [code, origin])).toEqual([
      ["invalid_argument", { kind: "flag", flag: "--allow-egress", index: 1 }],
      ["invalid_argument", { kind: "flag", flag: "--allow-egress", index: 2 }],
      ["invalid_argument", { kind: "flag", flag: "--publish", index: 1 }],
    ]);
  });

  test("asks names only where there is something to connect to", () => {
    const file = (given: ReturnType<typeof inputs>, found = resolvers) => {
      const [op] = bridgedPart(given, found).files.map((planned) => planned.op);
      return op?.op === "file" ? new TextDecoder().decode(op.content) : "";
    };
    expect(file(inputs(root))).toBe("nameserver 192.0.2.53\nsearch example.org\n");
    const nothing = inputs({ ...root, policy: policyWith({ network: { mode: "bridged" } }) });
    expect(file(nothing)).toStartWith("# The zone may connect to nothing");
    expect(part(nothing).zoneRules.resolvers).toEqual([]);
    expect(file(inputs(root), readResolvers(["nameserver 127.0.0.53"]))).toStartWith("# The host's resolvers are on");
  });

  test("takes the first file that has a resolver beyond loopback, three at most, IPv4 alone", () => {
    const stub = "nameserver 127.0.0.53\noptions edns0";
    const real =
      "# c\nnameserver ::1\nnameserver 10.0.0.1\n nameserver 10.0.0.2 \nnameserver 300.1.1.1\nnameserver 10.0.0.3\nnameserver 10.0.0.4\noptions edns0";
    expect(readResolvers([stub, real])).toEqual({
      addresses: [1, 2, 3].map((last) => [10, 0, 0, last]),
      lines: ["options edns0"],
    });
    expect(readResolvers([])).toEqual({ addresses: [], lines: [] });
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
