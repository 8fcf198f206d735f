/**
 * A plan that is ready is the planner's plan: the same bytes for the launcher, and the same promises; whatever it can't be the same for is
 * left to the planner.
 */
import { describe, expect, test } from "bun:test";
import type { HostFacts } from "../../../src/run/host-facts.ts";
import { encodePlan } from "../../../src/run/plan/encode.ts";
import type { Plan } from "../../../src/run/plan/plan.ts";
import { plan } from "../../../src/run/plan/planner.ts";
import { guaranteesOf, inPiece, planReady } from "../../../src/run/plan/ready.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import type { SandboxRequest } from "../../../src/run/request.ts";
import { zoneFilter } from "../../../src/run/seccomp/zone-filter.ts";
import { Random } from "../policy/random.ts";
import { delegatedFacts, inputs, policyWith, rootFacts, userFacts } from "./inputs.ts";
import { randomInputs } from "./random-inputs.ts";
import { toolImage as image } from "./tool-image.ts";

const zoneId = "zone_0123456789abcdef0123";
const v2 = { path: "/sys/fs/cgroup/a", controllers: ["memory"] };
const origin = { kind: "flag", flag: "--repo-path" } as const;
const repoAt = (path: string, mode: "overlay" | "ro" | "rw", target?: string): Partial<SandboxRequest> => ({
  repo: { path, target, mode, origin },
  ...(mode === "overlay"
    ? { copyOnWrite: [{ target: target ?? path, storage: "/var/lib/x", mechanism: "overlayfs" }] }
    : {}),
});

const hosts: Readonly<Record<string, HostFacts>> = {
  user: userFacts,
  "user with cgroups": delegatedFacts,
  "user with one controller": { ...userFacts, cgroup: { v2, v1: {}, reason: "" } },
  "user of both versions": { ...userFacts, cgroup: { v2, v1: { pids: "/sys/fs/cgroup/pids/b" }, reason: "" } },
  root: rootFacts,
  "root on v2": { ...rootFacts, cgroup: delegatedFacts.cgroup },
  "root of somebody's namespace": { ...userFacts, uid: 0, gid: 0, userName: "root" },
  "user of an arm": { ...userFacts, arch: "aarch64" },
  "root of an arm": { ...rootFacts, arch: "aarch64" },
  "user of a long name": { ...userFacts, uid: 65534, gid: 5, userName: "a".repeat(32) },
  "guarded root": { ...rootFacts, bpfLsm: { ok: true } },
  "guarded root on v2": { ...rootFacts, cgroup: delegatedFacts.cgroup, bpfLsm: { ok: true } },
  "newer Landlock": { ...rootFacts, landlockAbi: 9 },
  "the Landlock of the table": { ...userFacts, landlockAbi: 7 },
};

/** Requests that most plans are made for. */
const plain: Readonly<Record<string, Partial<SandboxRequest>>> = {
  "a command": {},
  "words and variables": {
    command: ["printf", "ä %s\n", ""],
    env: [{ name: "A", value: "b=c" }],
    envPass: ["TERM", "NOT_THERE"],
    workdir: "/srv/ä",
  },
  streams: { io: { mode: "stream", stdin: true, maxOutputBytes: 1 } },
  "a terminal": { io: { mode: "pty", stdin: true, maxOutputBytes: 8 << 20 } },
  "limits of cgroups": { limits: { memoryBytes: 1 << 28, pids: 7 } },
  "a workspace, copy-on-write": repoAt("/home/alice/project", "overlay"),
  "a workspace, read-only": repoAt("/home/alice/project", "ro"),
  "a workspace, writable": repoAt("/home/alice/project", "rw"),
  "a workspace below scratch": repoAt("/tmp/project", "overlay"),
  "a read-only one below scratch": repoAt("/tmp/project", "ro"),
  "a workspace below a tree of the host": repoAt("/usr/src/project", "overlay"),
  "a read-only one below a tree of the host": repoAt("/usr/src/project", "ro"),
  "a workspace at another place": repoAt("/home/alice/project", "rw", "/workspace"),
  "a copy of a workspace": {
    ...repoAt("/srv/p", "overlay"),
    copyOnWrite: [{ target: "/srv/p", storage: "/var/lib/x", mechanism: "copy", reason: "no overlayfs" }],
  },
};

const images: Readonly<Record<string, Partial<SandboxRequest>>> = {
  "an image with subordinate ids": {
    image,
    ids: [
      { op: { op: "uid_map", inside: 0, outside: 100_000, count: 65_536 }, origin, intent: "ids of the caller's" },
      { op: { op: "gid_map", inside: 0, outside: 100_000, count: 65_536 }, origin, intent: "ids of the caller's" },
    ],
  },
  "an image with a volume": { image: { ...image, volumes: ["/data"] } },
  "an image": { image },
  "an image of root's": { image: { ...image, user: { ...image.user, uid: 0, name: "root" }, workingDir: undefined } },
};

/** What is not the same in every plan of its kind. */
const special: Readonly<Record<string, Partial<SandboxRequest>>> = {
  "an image with a signal of its own": { image: { ...image, stopSignal: 10 } },
  "an image without layers": { image: { ...image, layers: [] } },
  "an image with a workspace": { image, ...repoAt("/srv/p", "overlay", "/workspace") },
  "a view": { view: [{ kind: "dir", target: "/x", origin }] },
  "a user": { user: { uid: 7 } },
  "a host name": { hostname: "h" },
  "a time limit": { timeoutMs: 5000 },
  "no time limit": { timeoutMs: 0 },
  "a network": { network: "none" },
  "a domain": { allowDomains: ["example.org"] },
  "an egress": { allowEgress: ["192.0.2.1:443"] },
  "a port": { publish: ["8080:80"] },
  "processor time": { limits: { cpuSeconds: 1 } },
  "address space": { limits: { asBytes: 1 << 30 } },
  "a file's size": { limits: { fsizeBytes: 0 } },
  files: { limits: { nofile: 64 } },
  "core files": { limits: { coreBytes: 0 } },
  "a workspace that is a place of the zone": repoAt("/tmp", "overlay"),
  "a workspace with places of the zone below": repoAt("/etc", "rw"),
  "a workspace above": repoAt("/var", "ro"),
  "a workspace that can't be": repoAt("/proc/self", "ro"),
  "a workspace without its layer": { repo: { path: "/srv/p", mode: "overlay", origin } },
};

const policies = Object.values(shippedPolicies);
const readyPolicies = ["task", "strict"];

async function bothPlans(request: Partial<SandboxRequest>, policy: Policy, facts: HostFacts) {
  const filter = await zoneFilter(policy, facts, () => ({ problem: "none" }));
  const lsm = facts.bpfLsm.ok ? { cgroup: `/sys/fs/cgroup/zones/rauha-${zoneId}` } : undefined;
  const all = { ...inputs({ request: { zoneId, ...request }, policy, facts, lsm }), filter: undefined };
  return { all, whole: filter.ok ? plan({ ...all, filter: filter.filter }) : filter, ready: planReady(all) };
}

/** All of a plan that says what is promised and to whom. */
function promised({ ops: _, pieces: __, ...rest }: Plan, guarantees = rest.guarantees) {
  return { ...rest, guarantees };
}

function wire({ ops, pieces }: Plan): string {
  return encodePlan(
    ops.map(({ op }) => op),
    pieces,
  ).toHex();
}

describe.each(Object.entries(hosts))("on the host of a %s", (_, facts) => {
  for (const policy of policies) {
    for (const [name, request] of Object.entries({ ...plain, ...images, ...special })) {
      test(`${name}, under ${policy.name}`, async () => {
        const { all, whole, ready } = await bothPlans(request, policy, facts);
        const isReady = readyPolicies.includes(policy.name) && Object.hasOwn({ ...plain, ...images }, name);
        expect(ready !== undefined, "it is ready").toBe(isReady);
        if (ready === undefined) return;
        if (!whole.ok) throw new Error(JSON.stringify(whole.diagnostics));
        expect(wire(ready) === wire(whole.plan), "the launcher gets the same bytes").toBe(true);
        expect(promised(ready, guaranteesOf(ready, all))).toEqual(promised(whole.plan));
        // What is not in a piece is the same op, for the same reason.
        const known = whole.plan.ops.map((op, index) => (ready.ops[index] === inPiece ? inPiece : op));
        expect(ready.ops).toEqual(known);
        const pieces = ready.pieces?.reduce((count, piece) => count + piece.count, 0);
        expect(ready.ops.filter((op) => op === inPiece).length).toBe(pieces as number);
      });
    }
  }
});

const lacking: Readonly<Record<string, Partial<HostFacts>>> = {
  "no Landlock": { landlockAbi: 0 },
  "Landlock without scopes": { landlockAbi: 5 },
  "no seccomp": { seccomp: { ok: false, reason: "off" } },
  "no user namespaces": { userNamespaces: { ok: false, reason: "off" } },
};

test.each(Object.entries(lacking))("a host with %s has no ready plan", (_, facts) => {
  for (const host of [userFacts, rootFacts])
    expect(planReady({ ...inputs({ facts: { ...host, ...facts } }), filter: undefined })).toBeUndefined();
});

test("a filter that was made for this run has none", () => {
  expect(planReady(inputs({}))).toBeUndefined();
});

test("rules of the user's own have none, whatever the policy is called; the shipped rules have one under any name", () => {
  const own = policyWith({ hash: "sha256:0" as never });
  expect(planReady({ ...inputs({ policy: own }), filter: undefined })).toBeUndefined();
  const renamed = planReady({ ...inputs({ policy: policyWith({ name: "mine" as never }) }), filter: undefined });
  expect(renamed?.policy.name).toBe("mine");
});

test("of requests, policies and hosts at random, those with a ready plan get the planner's", async () => {
  let count = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const random = new Random(seed);
    const given = randomInputs(random);
    const plainly = random.chance(0.8);
    const { memoryBytes, pids, cpus } = given.request.limits;
    // What has no ready plan is rare in life, and would be all there is here.
    const request = plainly
      ? {
          ...given.request,
          ...{ view: [], user: undefined, hostname: undefined, timeoutMs: undefined, network: undefined },
          ...{ allowDomains: undefined, allowEgress: undefined, publish: undefined },
          limits: { memoryBytes, pids, cpus },
        }
      : given.request;
    const policy = plainly ? policyWith({}, random.pick(readyPolicies)) : given.policy;
    const kernel = { landlockAbi: random.int(6, 8), seccomp: { ok: true } } as const;
    const facts = plainly ? { ...given.facts, ...kernel } : given.facts;
    const { all, whole, ready } = await bothPlans(request, policy, facts);
    if (ready === undefined) continue;
    if (!whole.ok) throw new Error(`seed ${seed}: ${JSON.stringify(whole.diagnostics)}`);
    expect({ seed, wire: wire(ready) }).toEqual({ seed, wire: wire(whole.plan) });
    expect({ seed, ...promised(ready, guaranteesOf(ready, all)) }).toEqual({ seed, ...promised(whole.plan) });
    count++;
  }
  expect(count).toBeGreaterThan(100);
});
