import type { HostFacts } from "../../../src/run/host-facts.ts";
import type { WholeInputs } from "../../../src/run/plan/draft.ts";
import type { Plan } from "../../../src/run/plan/plan.ts";
import { plan } from "../../../src/run/plan/planner.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import type { SandboxRequest } from "../../../src/run/request.ts";

/** An ordinary user on a recent kernel without a delegated cgroup. */
export const userFacts: HostFacts = {
  platform: "linux",
  arch: "x86_64",
  kernel: "6.12.0",
  uid: 1000,
  gid: 1000,
  userName: "alice",
  privileged: false,
  capabilities: 0n,
  userNamespaces: { ok: true },
  seccomp: { ok: true },
  landlockAbi: 6,
  cgroup: { v2: null, v1: {}, reason: "no cgroup is delegated to this user" },
  bpfLsm: { ok: false, reason: "not set up" },
  env: { LANG: "C.UTF-8", SECRET_TOKEN: "hunter2", TERM: "xterm" },
  cwd: "/home/alice/project",
};

/** The same with a delegated cgroup v2 subtree. */
export const delegatedFacts: HostFacts = {
  ...userFacts,
  cgroup: {
    v2: { path: "/sys/fs/cgroup/user.slice/app.slice", controllers: ["cpu", "io", "memory", "pids"] },
    v1: {},
    reason: "delegated",
  },
};

/** Root on a host with version 1 controllers. */
export const rootFacts: HostFacts = {
  ...userFacts,
  uid: 0,
  gid: 0,
  userName: "root",
  privileged: true,
  capabilities: 0x1ff_ffff_ffffn,
  cgroup: {
    v2: null,
    v1: { memory: "/sys/fs/cgroup/memory", pids: "/sys/fs/cgroup/pids", cpu: "/sys/fs/cgroup/cpu" },
    reason: "cgroup v1",
  },
};

const request: SandboxRequest = {
  taskId: "task_0011",
  zoneId: "zone_2233",
  command: ["true"],
  commandHash: "sha256:00",
  env: [],
  envPass: [],
  view: [],
  limits: {},
  io: { mode: "capture", stdin: false, maxOutputBytes: 8 << 20 },
};

/** A shipped policy with changes to its sections. */
export function policyWith(changes: { readonly [K in keyof Policy]?: Partial<Policy[K]> } = {}, base = "task"): Policy {
  const shipped = shippedPolicies[base];
  if (shipped === undefined) throw new Error(`no shipped policy ${base}`);
  const policy: Record<string, unknown> = { ...shipped };
  for (const [key, value] of Object.entries(changes)) {
    const section = policy[key];
    policy[key] = typeof section === "object" && section !== null ? { ...section, ...(value as object) } : value;
  }
  return policy as unknown as Policy;
}

/** Inputs of a plan: `true` under the task policy for an ordinary user, but for what is given. */
export function inputs(changes: {
  readonly request?: Partial<SandboxRequest>;
  readonly policy?: Policy;
  readonly facts?: HostFacts;
  readonly lsm?: WholeInputs["lsm"];
}): WholeInputs {
  return {
    request: { ...request, ...changes.request },
    policy: changes.policy ?? policyWith(),
    facts: changes.facts ?? userFacts,
    lsm: changes.lsm,
    filter: { filter: new Uint8Array(8), listen: true, profile: "default", warnings: [] },
  };
}

/** The plan, or a failure that lists the diagnostics. */
export function planned(changes: Parameters<typeof inputs>[0]): Plan {
  const outcome = plan(inputs(changes));
  if (!outcome.ok) throw new Error(outcome.diagnostics.map((diagnostic) => diagnostic.message).join("\n"));
  return outcome.plan;
}

/** The messages with which the plan is refused. */
export function refused(changes: Parameters<typeof inputs>[0]): { code: string; message: string; origin: unknown }[] {
  const outcome = plan(inputs(changes));
  if (outcome.ok) throw new Error("the plan was not refused");
  return outcome.diagnostics.map(({ code, message, origin }) => ({ code, message, origin }));
}
