import type { HostFacts } from "../../../src/run/host-facts.ts";
import type { WholeInputs } from "../../../src/run/plan/draft.ts";
import { bridgedPart, readResolvers } from "../../../src/run/plan/network/bridged.ts";
import { filteredPart } from "../../../src/run/plan/network/filtered.ts";
import { hostPart } from "../../../src/run/plan/network/host.ts";
import type { NetworkPart } from "../../../src/run/plan/network/part.ts";
import type { SandboxRequest, ViewEntry } from "../../../src/run/request.ts";
import type { Random } from "../policy/random.ts";
import { randomPolicy } from "../policy/random-policies.ts";
import { policyOf } from "../policy/reading.ts";
import { delegatedFacts, inputs, policyWith, rootFacts, userFacts } from "./inputs.ts";

/** Inputs of a plan, of any host, with a policy file or a shipped policy, and whatever flags there are. */
export function randomInputs(random: Random): WholeInputs {
  const facts = randomFacts(random);
  const policy = random.chance(0.3)
    ? policyWith({}, random.pick(["task", "build", "standard", "strict", "privileged"]))
    : policyOf(randomPolicy(random));
  const given = inputs({ facts, policy, request: randomRequest(random) });
  const lsm = facts.bpfLsm.ok ? { cgroup: `/sys/fs/cgroup/zones/rauha-${given.request.zoneId}` } : undefined;
  return { ...given, lsm, network: networkOf(given) };
}

function networkOf(given: WholeInputs): NetworkPart | undefined {
  switch (given.request.network ?? given.policy.network.mode) {
    case "filtered":
      return filteredPart(given, true);
    case "bridged":
      return bridgedPart(given, readResolvers(["nameserver 192.0.2.53\n"]));
    case "host":
      return hostPart(given);
    default:
      return undefined;
  }
}

function randomFacts(random: Random): HostFacts {
  const facts = random.pick([userFacts, delegatedFacts, rootFacts]);
  const controllers = random.some(["cpu", "io", "memory", "pids"] as const, 0.8);
  return {
    ...facts,
    kernel: random.pick(["6.1.0", "6.6.12-amd64", "6.18.0"]),
    landlockAbi: random.chance(0.1) ? 0 : random.int(1, 7),
    cgroup:
      facts.cgroup.v2 === null || random.chance(0.5)
        ? facts.cgroup
        : { ...facts.cgroup, v2: { ...facts.cgroup.v2, controllers } },
    bpfLsm: random.chance(0.2) ? { ok: true } : { ok: false, reason: "not set up" },
    userNamespaces: random.chance(0.05) ? { ok: false, reason: "switched off" } : { ok: true },
    seccomp: random.chance(0.05) ? { ok: false, reason: "not built in" } : { ok: true },
  };
}

function randomRequest(random: Random): Partial<SandboxRequest> {
  const maybe = <T>(make: () => T): T | undefined => (random.chance(0.3) ? make() : undefined);
  const view = random.list(5, () => randomView(random));
  const repo = maybe(() => ({
    path: random.pick(["/home/alice/project", "/srv/a b", "/proc/x", "/tmp/p"]),
    mode: random.pick(["overlay", "rw", "ro"] as const),
    origin: { kind: "flag", flag: "--repo-path" } as const,
  }));
  const wanted = [
    ...(repo?.mode === "overlay" ? [repo.path] : []),
    ...view.flatMap((entry) => (entry.kind === "overlay-bind" ? [entry.target] : [])),
  ];
  return {
    zoneId: `zone_${random.int(0, 1e9)}`,
    command: ["sh", "-c", random.pick(["true", "echo é", ""])],
    repo,
    view,
    copyOnWrite: wanted.map((target, index) => ({
      target,
      storage: `/state/${index}`,
      mechanism: random.pick(["overlayfs", "copy", "reflink copy"] as const),
    })),
    workdir: maybe(() => "/home"),
    timeoutMs: maybe(() => random.pick([0, 1, 60_000])),
    env: random.list(3, () => ({ name: random.pick(["A", "LANG", "__proto__"]), value: String(random.int(0, 9)) })),
    envPass: random.list(2, () => random.pick(["TERM", "GONE", "toString"])),
    network: maybe(() => random.pick(["none", "filtered", "bridged", "host"] as const)),
    allowDomains: maybe(() => ["example.org"]),
    allowEgress: maybe(() => ["203.0.113.0/24:443"]),
    publish: maybe(() => ["8080:8000"]),
    user: maybe(() => ({ uid: random.pick([0, 1000, 70_000]), gid: maybe(() => random.pick([0, 5])) })),
    hostname: maybe(() => "box"),
    limits: {
      memoryBytes: maybe(() => random.int(6, 4096) * 1024 ** 2),
      cpus: maybe(() => random.pick([0.5, 1, 64])),
      pids: maybe(() => random.int(1, 5000)),
      cpuSeconds: maybe(() => random.int(1, 100)),
      asBytes: maybe(() => random.int(1, 2 ** 33)),
      fsizeBytes: maybe(() => random.int(0, 2 ** 33)),
      nofile: maybe(() => random.int(32, 9999)),
      coreBytes: maybe(() => 0),
    },
    io: {
      mode: random.pick(["capture", "stream", "pty"] as const),
      stdin: random.chance(0.5),
      maxOutputBytes: random.int(0, 1 << 24),
    },
  };
}

function randomView(random: Random): ViewEntry {
  const target = `/${random.pick(["a", "usr/x", "tmp/deep", "opt"])}${random.int(0, 9)}`;
  const kind = random.pick(["ro-bind", "rw-bind", "overlay-bind", "tmpfs", "dir", "symlink"] as const);
  const origin = { kind: "flag", flag: `--${kind}`, index: random.int(1, 5) } as const;
  switch (kind) {
    case "symlink":
      return { kind, value: "somewhere", target, origin };
    case "tmpfs":
    case "dir":
      return { kind, target, origin };
    default:
      return { kind, source: `/host${target}`, target, origin };
  }
}
