/** What holds of every plan, whatever host, policy and flags it is made of: seeds are fixed, and a failure names its own. */
import { describe, expect, test } from "bun:test";
import { capabilityMask } from "../../../src/run/capabilities.ts";
import { renderOrigin } from "../../../src/run/diagnostic.ts";
import { mountFlag, type PlanOp, planOps } from "../../../src/run/plan/contract.ts";
import type { WholeInputs } from "../../../src/run/plan/draft.ts";
import { encodePlan } from "../../../src/run/plan/encode.ts";
import type { GuaranteeName, Plan } from "../../../src/run/plan/plan.ts";
import { plan as planZone } from "../../../src/run/plan/planner.ts";
import { Random } from "../policy/random.ts";
import { randomInputs } from "./random-inputs.ts";

const rounds = 600;

/** Plans of the rounds that are not refused, with what each was made of. */
const made: { readonly seed: number; readonly inputs: WholeInputs; readonly plan: Plan }[] = [];
const refused: { readonly seed: number; readonly diagnostics: readonly { message: string; origin?: unknown }[] }[] = [];
for (let seed = 1; seed <= rounds; seed++) {
  const inputs = randomInputs(new Random(seed));
  const outcome = planZone(inputs);
  if (outcome.ok) made.push({ seed, inputs, plan: outcome.plan });
  else refused.push({ seed, diagnostics: outcome.diagnostics });
}

function each(check: (plan: Plan, inputs: WholeInputs, seed: number) => void): void {
  for (const { seed, inputs, plan } of made) {
    try {
      check(plan, inputs, seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
}

function ops<K extends PlanOp["op"]>(plan: Plan, name: K): Extract<PlanOp, { op: K }>[] {
  return plan.ops.map(({ op }) => op).filter((op): op is Extract<PlanOp, { op: K }> => op.op === name);
}

describe("every plan", () => {
  test("of these there are enough, and enough refusals", () => {
    expect(made.length).toBeGreaterThan(rounds / 8);
    expect(refused.length).toBeGreaterThan(rounds / 8);
  });

  test("is the same when it is made once more", () => {
    for (const { seed, plan } of made.slice(0, 40)) {
      const again = planZone(randomInputs(new Random(seed)));
      expect({ seed, plan: again.ok ? again.plan : again }).toEqual({ seed, plan });
    }
  });

  test("can be handed to the launcher, each op as often as the contract lets it be", () => {
    each((plan) => {
      expect(encodePlan(plan.ops.map(({ op }) => op)).length).toBeGreaterThan(100);
      for (const [name, spec] of Object.entries(planOps)) {
        const times = "times" in spec ? spec.times : "many";
        const count = ops(plan, name as PlanOp["op"]).length;
        if (times === "once") expect([name, count]).toEqual([name, 1]);
        if (times === "optional") expect([name, count <= 1]).toEqual([name, true]);
      }
    });
  });

  test("has an origin and a purpose for each op, and none that names a place that nobody wrote", () => {
    each((plan, { request, policy }) => {
      for (const { op, origin, intent } of plan.ops) {
        expect([op.op, intent]).not.toEqual([op.op, ""]);
        expect([op.op, renderOrigin(origin)]).not.toEqual([op.op, ""]);
        const key = origin.kind === "policy" ? /^(.*)\[(\d+)\]$/.exec(origin.key) : null;
        if (key !== null) expect(listsOf(policy)[key[1] ?? ""]?.length ?? 0).toBeGreaterThan(Number(key[2]));
        if (origin.kind === "flag" && origin.flag === "--user") expect(request.user).toBeDefined();
      }
    });
  });

  test("rests each promise on ops that there are, and says by what it is kept, or why it is not", () => {
    each((plan) => {
      for (const { name, state, mechanism, ops: indexes } of plan.guarantees) {
        for (const index of indexes) expect([name, plan.ops[index] === undefined]).toEqual([name, false]);
        expect([name, mechanism === null || mechanism === ""]).toEqual([name, state === "not_requested"]);
      }
    });
  });

  test("speaks of each guarantee once", () => {
    each((plan, { request }) => {
      const layers = request.copyOnWrite?.length ?? 0;
      const names = plan.guarantees.map(({ name }) => name).filter((name) => name !== "workspace_copy_on_write");
      expect(new Set(names).size).toBe(names.length);
      expect(plan.guarantees.length - names.length).toBe(layers);
    });
  });
});

describe("no plan has less than was asked", () => {
  /** What each wish must have been promised as, when somebody wished it. */
  const wishes: readonly [GuaranteeName, (inputs: WholeInputs) => boolean][] = [
    [
      "memory_limit",
      ({ request, policy }) => (request.limits.memoryBytes ?? policy.resources.memoryLimitBytes) !== null,
    ],
    ["pids_limit", ({ request, policy }) => (request.limits.pids ?? policy.resources.pidsMax) !== null],
    ["cpu_quota", ({ request, policy }) => (request.limits.cpus ?? policy.resources.cpus) !== null],
    ["cpu_shares", ({ policy }) => policy.resources.cpuShares !== null],
    ["io_weight", ({ policy }) => policy.resources.ioWeight !== null],
    ["rlimit_cpu", ({ request, policy }) => (request.limits.cpuSeconds ?? policy.limits.cpuSeconds) !== null],
    ["rlimit_as", ({ request, policy }) => (request.limits.asBytes ?? policy.limits.asBytes) !== null],
    ["rlimit_fsize", ({ request, policy }) => (request.limits.fsizeBytes ?? policy.limits.fsizeBytes) !== null],
    ["rlimit_nofile", ({ request, policy }) => (request.limits.nofile ?? policy.limits.nofile) !== null],
    ["rlimit_core", ({ request, policy }) => (request.limits.coreBytes ?? policy.limits.coreBytes) !== null],
    ["wall_clock", ({ request, policy }) => (request.timeoutMs ?? policy.limits.walltimeMs) !== 0],
    ["lsm_zone_boundary", ({ policy, lsm }) => policy.enforcement.require === "bpf-lsm" || lsm !== undefined],
    ["capabilities", () => true],
    ["no_new_privs", () => true],
    ["syscall_filter", () => true],
    ["filesystem_rules", () => true],
    ["filesystem_view", ({ policy }) => !policy.capabilities.allowed.includes("CAP_SYS_ADMIN")],
    ["self_test", () => true],
  ];
  test.each(wishes)("%s is enforced where it is wished, and not wished where it is not requested", (name, wished) => {
    each((plan, inputs) => {
      const state = plan.guarantees.find((promise) => promise.name === name)?.state;
      if (wished(inputs)) expect(state).toBe("enforced");
      else expect(["not_requested", "unavailable", undefined]).toContain(state);
    });
  });

  test("limits are those of the flag, else of the policy, to the byte", () => {
    const number = { cpuSeconds: 0, fsizeBytes: 1, coreBytes: 4, nofile: 7, asBytes: 9 } as const;
    each((plan, { request, policy }) => {
      for (const key of Object.keys(number) as (keyof typeof number)[]) {
        const wanted = request.limits[key] ?? policy.limits[key];
        const set = ops(plan, "rlimit").filter(({ resource }) => resource === number[key]);
        expect(set.map(({ soft }) => Number(soft))).toEqual(wanted === null ? [] : [wanted]);
      }
      expect(ops(plan, "timeout")[0]?.wall_ms).toBe(request.timeoutMs ?? policy.limits.walltimeMs);
      expect(ops(plan, "root")[0]).toMatchObject({
        size: policy.filesystem.tmpSizeBytes,
        inodes: policy.filesystem.tmpInodes,
      });
    });
  });

  test("memory and processes are bounded by the wish, wherever they are bounded", () => {
    each((plan, { request, policy }) => {
      const bytes = request.limits.memoryBytes ?? policy.resources.memoryLimitBytes;
      const processes = request.limits.pids ?? policy.resources.pidsMax;
      const files = new Map(ops(plan, "cgroup_set").map(({ file, value }) => [file, value]));
      const watched = ops(plan, "watch_memory")[0]?.limit;
      const memory = files.get("memory.max") ?? files.get("memory.limit_in_bytes") ?? watched;
      expect(memory === undefined ? null : Number(memory)).toBe(bytes);
      const forks = files.get("pids.max") ?? ops(plan, "rlimit").find(({ resource }) => resource === 6)?.soft;
      // One more, for the zone's init.
      expect(forks === undefined ? null : Number(forks) - 1).toBe(processes);
    });
  });

  test("capabilities are the policy's, all and only", () => {
    each((plan, { policy }) => {
      expect(ops(plan, "capabilities")[0]?.mask).toBe(capabilityMask(policy.capabilities.allowed));
    });
  });

  test("a denied path is hidden or must at least be there, after all that could show it", () => {
    each((plan, { policy }) => {
      for (const path of policy.filesystem.deniedPaths) {
        const at = plan.ops.findIndex(
          ({ op }) => (op.op === "mask" && op.target === path) || (op.op === "expect" && op.source === path),
        );
        expect([path, at >= 0]).toEqual([path, true]);
        const op = plan.ops[at]?.op;
        if (op?.op === "mask") expect(op.flags & mountFlag.optional).toBe(0);
        const later = plan.ops.slice(at + 1).map(({ op: next }) => next.op);
        for (const shows of ["bind", "mirror", "overlay", "copy", "file"] as const)
          expect([path, shows, later.includes(shows)]).toEqual([path, shows, false]);
      }
    });
  });

  test("nothing of the host is writable but what a flag, an allowed device or the workspace's mode says", () => {
    each((plan) => {
      for (const { op, origin } of plan.ops) {
        if (op.op === "mirror") expect(op.flags & mountFlag.readOnly).toBe(mountFlag.readOnly);
        if (op.op !== "bind" || (op.flags & mountFlag.readOnly) !== 0) continue;
        const words = renderOrigin(origin);
        const said =
          /^--(rw-bind|repo-path|overlay-bind)/.test(words) ||
          (op.flags & mountFlag.dev) !== 0 ||
          words === "zone (copy-on-write)" ||
          words === "zone (workspace)";
        expect([op.source, words, said]).toEqual([op.source, words, true]);
      }
    });
  });

  test("the filter, the rules and the self-test come after every mount, and the task last", () => {
    each((plan) => {
      const order = plan.ops.map(({ op }) => op.op);
      const last = (name: PlanOp["op"]) => order.lastIndexOf(name);
      expect(order.at(-1)).toBe("exec");
      for (const mount of ["bind", "mirror", "overlay", "mask", "read_only", "scratch"] as const)
        expect(last(mount)).toBeLessThan(order.indexOf("pivot"));
      for (const lock of ["capabilities", "landlock", "seccomp", "verify"] as const)
        expect(order.indexOf(lock)).toBeGreaterThan(order.indexOf("pivot"));
    });
  });

  test("the environment has what flags set, and nothing of the caller's that nobody named", () => {
    each((plan, { request, policy, facts }) => {
      const env = ops(plan, "exec")[0]?.env ?? [];
      for (const [index, { name, value }] of request.env.entries()) {
        const wins = !request.env.slice(index + 1).some((later) => later.name === name);
        if (wins) expect(env).toContain(`${name}=${value}`);
      }
      expect(env.join("\n")).not.toContain(facts.env["SECRET_TOKEN"] ?? "");
      for (const [name, value] of Object.entries(policy.env.set))
        if (!request.env.some((set) => set.name === name)) expect(env).toContain(`${name}=${value}`);
      expect(env.some((variable) => variable.startsWith("toString="))).toBe(false);
    });
  });
});

describe("a refusal", () => {
  test("says what, and where it was asked", () => {
    for (const { seed, diagnostics } of refused) {
      expect({ seed, count: diagnostics.length }).not.toEqual({ seed, count: 0 });
      for (const { message, origin } of diagnostics)
        expect({ seed, message, origin: origin !== undefined }).toEqual({ seed, message, origin: true });
    }
  });
});

/** The lists of a policy by their key. */
function listsOf(policy: WholeInputs["policy"]): Record<string, readonly string[]> {
  const { filesystem, capabilities, devices, network } = policy;
  return {
    "filesystem.readable_paths": filesystem.readablePaths,
    "filesystem.writable_paths": filesystem.writablePaths,
    "filesystem.denied_paths": filesystem.deniedPaths,
    "filesystem.allowed_sockets": filesystem.allowedSockets,
    "capabilities.allowed": capabilities.allowed,
    "devices.allowed": devices.allowed,
    "network.allowed_egress": network.allowedEgress,
    "network.allowed_ingress": network.allowedIngress,
    "network.allowed_domains": network.allowedDomains,
  };
}
