/** A plan that is cut and filled in for another zone is the planner's plan of that zone, byte for byte. */
import { describe, expect, test } from "bun:test";
import { encodePlan } from "../../../src/run/plan/encode.ts";
import { hostRange } from "../../../src/run/plan/sections/identity.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import type { SandboxRequest } from "../../../src/run/request.ts";
import { cutPlan } from "../../../src/run/start/cut-plan.ts";
import { fillPlan } from "../../../src/run/start/fill.ts";
import { inputs } from "../plan/inputs.ts";
import { toolImage as image } from "../plan/tool-image.ts";
import { Random } from "../policy/random.ts";
import { hosts, namesFor, planOf, wire } from "./starts.ts";

const repoOrigin = { kind: "flag", flag: "--repo-path" } as const;
const requests: Readonly<Record<string, Partial<SandboxRequest>>> = {
  "a command": {},
  "a workspace, read-only": { repo: { path: "/home/alice/project", mode: "ro", origin: repoOrigin } },
  "limits and a host name": { hostname: "zone", limits: { memoryBytes: 1 << 28, pids: 7 }, timeoutMs: 5000 },
  "an image": { image },
  "an image with subordinate ids": {
    image,
    ids: [{ op: { op: "uid_map", inside: 0, outside: 100_000, count: 65_536 }, origin: repoOrigin, intent: "ids" }],
  },
};

describe.each(Object.entries(hosts))("%s", (_, facts) => {
  for (const policy of Object.values(shippedPolicies)) {
    // Network modes add parts to a run, which is then none to be remembered.
    const here = { ...policy, network: { ...policy.network, mode: "none" as const } };
    test.each(Object.entries(requests))(`%s under ${policy.name}`, async (name, request) => {
      const random = new Random(name.length);
      const entrypoint = request.image === undefined ? [] : ["/entry", "ä"];
      const wholeOf = async (command: readonly string[]) => {
        const asked = { ...request, ...namesFor(random), command: [...entrypoint, ...command] };
        const all = { ...inputs({ request: asked, policy: here, facts }), filter: undefined };
        const firstId = facts.privileged ? hostRange(all.request.zoneId).base : undefined;
        return { names: { ...all.request, firstId }, outcome: await planOf(all) };
      };
      const first = await wholeOf(["true"]);
      if (!first.outcome.ok) return expect(policy.name).toBe("privileged");
      const cut = cutPlan(wire(first.outcome.plan), first.names, entrypoint.length);
      if (cut === undefined) throw new Error("it is not cut");
      expect(cut.entrypoint).toEqual(entrypoint);
      expect(cut.zoneIds.length).toBeGreaterThan(0);
      const maps = first.outcome.plan.ops.filter(({ op }) => op.op === "uid_map" || op.op === "gid_map");
      expect(cut.firstIds.length).toBe(facts.privileged ? maps.length : 0);
      for (const command of [["true"], ["sh", "-c", "echo ä\n", ""], ["x".repeat(5000)]]) {
        const other = await wholeOf(command);
        if (!other.outcome.ok) throw new Error("the other is refused");
        const filled = fillPlan(cut, other.names.zoneId, other.names.firstId, command);
        expect(Buffer.compare(filled, wire(other.outcome.plan))).toBe(0);
      }
    });
  }
});

const names = { taskId: "task_1", zoneId: "zone_1", firstId: 0x7000_0000 };
const exec = { op: "exec", argv: ["true"], env: ["A=b"] } as const;

test("a number that only looks like a host id stays", () => {
  const map = { inside: 0, outside: 0x7000_0000, count: 0x7000_0000 };
  const file = { op: "file", target: "/x", mode: 0o444, content: Uint8Array.of(0, 0, 0, 0x70) } as const;
  const plan = encodePlan([file, { op: "uid_map", ...map }, { op: "gid_map", ...map, outside: 1 }, exec]);
  const cut = cutPlan(plan, names, 0);
  expect(cut?.firstIds.length).toBe(1);
  const filled = fillPlan(cut as NonNullable<typeof cut>, names.zoneId, 9, ["true"]);
  expect(
    Buffer.compare(
      filled,
      encodePlan([file, { op: "uid_map", ...map, outside: 9 }, { op: "gid_map", ...map, outside: 1 }, exec]),
    ),
  ).toBe(0);
});

test("a plan that does not end with the command is not cut", () => {
  expect(cutPlan(encodePlan([exec, { op: "loopback" }]), names, 0)).toBeUndefined();
  expect(cutPlan(encodePlan([]), names, 0)).toBeUndefined();
});

test("nor one that names its zone or its task where nothing is filled in", () => {
  expect(cutPlan(encodePlan([{ ...exec, env: ["ZONE=zone_1"] }]), names, 0)).toBeUndefined();
  expect(cutPlan(encodePlan([{ op: "hostname", name: "task_1" }, exec]), names, 0)).toBeUndefined();
  expect(cutPlan(encodePlan([{ op: "hostname", name: "zone_1" }, exec]), names, 0)).toBeDefined();
});
