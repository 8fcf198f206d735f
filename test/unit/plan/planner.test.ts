import { describe, expect, test } from "bun:test";
import { idMapOps } from "../../../src/run/ids/map-ops.ts";
import { mapsFor } from "../../../src/run/ids/zone-ids.ts";
import { mountFlag, type PlanOp } from "../../../src/run/plan/contract.ts";
import type { Plan } from "../../../src/run/plan/plan.ts";
import { hostRange } from "../../../src/run/plan/sections/identity.ts";
import type { SandboxRequest } from "../../../src/run/request.ts";
import { delegatedFacts, planned, policyWith, refused, rootFacts, userFacts } from "./inputs.ts";

const flag = (name: string) => ({ kind: "flag", flag: name, index: 1 }) as const;

function ops<K extends PlanOp["op"]>(plan: Plan, name: K): Extract<PlanOp, { op: K }>[] {
  return plan.ops.map(({ op }) => op).filter((op): op is Extract<PlanOp, { op: K }> => op.op === name);
}

function guarantee(plan: Plan, name: string) {
  return plan.guarantees.find((entry) => entry.name === name);
}

describe("namespaces and ids", () => {
  test("every namespace is the zone's own, for an ordinary user and for root", () => {
    for (const facts of [userFacts, rootFacts]) {
      const names = planned({ facts }).guarantees.filter(({ name }) => name.endsWith("_namespace"));
      expect(names.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(
        ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"].map((kind) => `${kind}_namespace enforced`),
      );
    }
  });

  test("an ordinary user maps one id, his own, with setgroups denied first", () => {
    const plan = planned({});
    expect(ops(plan, "uid_map")).toEqual([{ op: "uid_map", inside: 1000, outside: 1000, count: 1 }]);
    const order = plan.ops.map(({ op }) => op.op);
    expect(order.indexOf("setgroups_deny")).toBeLessThan(order.indexOf("gid_map"));
  });

  test("--user 0 maps the caller to 0 inside, and origin names the flag", () => {
    const plan = planned({ request: { user: { uid: 0 } } });
    expect(ops(plan, "uid_map")).toEqual([{ op: "uid_map", inside: 0, outside: 1000, count: 1 }]);
    expect(plan.ops.find(({ op }) => op.op === "uid_map")?.origin).toEqual({ kind: "flag", flag: "--user" });
  });

  test("root inside is an unprivileged id outside, another for another zone", () => {
    const [map] = ops(planned({ facts: rootFacts }), "uid_map");
    expect(map?.inside).toBe(0);
    expect(map?.outside).toBeGreaterThanOrEqual(0x7000_0000);
    expect((map?.outside ?? 0) + 65536).toBeLessThan(0x8000_0000);
    expect(map?.outside).toBe(hostRange("zone_2233").base);
    expect(hostRange("zone_2234").base).not.toBe(hostRange("zone_2233").base);
    expect((map?.outside ?? 0) % 65536).toBe(0);
  });

  test("subordinate ids: their maps and who writes them, in place of the one id; setgroups is not denied", () => {
    const own = {
      uid: 1000,
      gid: 1000,
      uids: [{ first: 300_000, count: 65_536 }],
      gids: [{ first: 400_000, count: 10 }],
    };
    const ids = idMapOps(mapsFor({ ...own, newuidmap: "/usr/bin/newuidmap", newgidmap: "/usr/bin/newgidmap" }, 0, 0));
    const plan = planned({ request: { ids, user: { uid: 0, gid: 0 } } });
    expect(ops(plan, "uid_map")).toEqual([
      { op: "uid_map", inside: 0, outside: 1000, count: 1 },
      { op: "uid_map", inside: 1, outside: 300_000, count: 65_536 },
    ]);
    expect(ops(plan, "gid_map").at(-1)).toEqual({ op: "gid_map", inside: 1, outside: 400_000, count: 10 });
    expect(ops(plan, "id_helpers")).toEqual([
      { op: "id_helpers", newuidmap: "/usr/bin/newuidmap", newgidmap: "/usr/bin/newgidmap" },
    ]);
    expect(ops(plan, "setgroups_deny")).toEqual([]);
    expect(guarantee(plan, "user_namespace")?.mechanism).toBe("user namespace, subordinate ids by newuidmap");
    // Where the image gives no groups the caller keeps his.
    expect(ops(plan, "identity")).toMatchObject([{ uid: 0, gid: 0, groups: [], flags: 0 }]);
    expect(plan.ops.map(({ op }) => op.op).slice(0, 6)).toEqual([
      ...["namespaces", "uid_map", "uid_map", "gid_map", "gid_map", "id_helpers"],
    ] as never);
  });

  test("a task that may take other ids has the limit of processes with each of them, and the promise says so", () => {
    const policy = policyWith({ capabilities: { allowed: ["CAP_SETUID"] } });
    const mechanism = (request: Partial<SandboxRequest>) =>
      guarantee(planned({ policy, request }), "pids_limit")?.mechanism;
    expect(mechanism({})).toBe("rlimit");
    expect(mechanism({ ids: [] })).toBe("rlimit, for each id of the zone");
  });

  test("an id outside the mapped range is refused for root", () => {
    expect(refused({ facts: rootFacts, request: { user: { uid: 70000 } } })[0]?.code).toBe("invalid_argument");
  });

  test("no user namespaces: refused with the fix", () => {
    const facts = { ...userFacts, userNamespaces: { ok: false, reason: "off", fix: "sysctl" } as const };
    expect(refused({ facts })[0]?.code).toBe("unenforceable");
  });

  test("a privileged policy is refused to an ordinary user", () => {
    const codes = refused({ policy: policyWith({}, "privileged"), request: { network: "none" } }).map(
      ({ code }) => code,
    );
    expect(codes).toContain("permission");
  });
});

describe("limits", () => {
  test("cgroup v2 where it is delegated", () => {
    const plan = planned({ facts: delegatedFacts });
    expect(guarantee(plan, "memory_limit")?.mechanism).toBe("cgroup2 memory.max, no swap");
    expect(guarantee(plan, "pids_limit")?.mechanism).toBe("cgroup2 pids.max");
    const sets = ops(plan, "cgroup_set").map(({ file, value }) => `${file}=${value}`);
    expect(sets).toEqual(["memory.max=4294967296", "memory.swap.max=0", "memory.oom.group=1", "pids.max=513"]);
    expect(ops(plan, "cgroup")[0]?.path).toBe("/sys/fs/cgroup/user.slice/app.slice/rauha-zone_2233");
  });

  test("version 1 controllers where v2 lacks them", () => {
    const plan = planned({ facts: rootFacts, request: { limits: { cpus: 1.5 } } });
    expect(guarantee(plan, "memory_limit")?.mechanism).toStartWith("cgroup v1");
    expect(guarantee(plan, "cpu_quota")?.mechanism).toStartWith("cgroup v1");
    expect(ops(plan, "cgroup_set").map(({ file, value }) => `${file}=${value}`)).toContain("cpu.cfs_quota_us=150000");
  });

  test("without a cgroup: memory and processes by rlimit, and the guarantee says so", () => {
    const plan = planned({});
    expect(guarantee(plan, "memory_limit")).toMatchObject({ state: "enforced", mechanism: "rlimit" });
    expect(guarantee(plan, "pids_limit")).toMatchObject({ state: "enforced", mechanism: "rlimit" });
    expect(ops(plan, "watch_memory")).toHaveLength(1);
    expect(ops(plan, "cgroup")).toHaveLength(0);
  });

  test("a cpu quota without a cgroup is refused, naming the flag and the reason", () => {
    const [problem] = refused({ request: { limits: { cpus: 1 } } });
    expect(problem).toMatchObject({ code: "unenforceable", origin: { kind: "flag", flag: "--cpus" } });
    expect(problem?.message).toContain("no cgroup is delegated");
  });

  test("io weight on version 1 is refused", () => {
    const policy = policyWith({ resources: { ioWeight: 50 } });
    expect(refused({ facts: rootFacts, policy })[0]?.code).toBe("unenforceable");
  });

  test("a flag's limit replaces the policy's", () => {
    const plan = planned({ facts: delegatedFacts, request: { limits: { memoryBytes: 1 << 20, pids: 3 } } });
    expect(ops(plan, "cgroup_set").map(({ file, value }) => `${file}=${value}`)).toContain("memory.max=1048576");
    expect(plan.ops.find(({ op }) => op.op === "cgroup_set")?.origin).toEqual({ kind: "flag", flag: "--memory" });
  });

  test("the cpu limit leaves a second between SIGXCPU and SIGKILL", () => {
    const plan = planned({ request: { limits: { cpuSeconds: 2 } } });
    expect(ops(plan, "rlimit")).toContainEqual({ op: "rlimit", resource: 0, soft: 2, hard: 3, clamp: 1 });
  });

  test("time-out: the policy's, the flag's, and 0 for none", () => {
    expect(ops(planned({}), "timeout")[0]?.wall_ms).toBe(3_600_000);
    expect(ops(planned({ request: { timeoutMs: 1500 } }), "timeout")[0]?.wall_ms).toBe(1500);
    const never = planned({ request: { timeoutMs: 0 } });
    expect(guarantee(never, "wall_clock")?.state).toBe("not_requested");
  });
});

describe("filesystem", () => {
  const repo = { path: "/home/alice/project", mode: "rw", origin: flag("--repo-path") } as const;

  test("the root is bounded and read-only at the end, before the task", () => {
    const order = planned({}).ops.map(({ op }) => op.op);
    expect(order.indexOf("root")).toBeLessThan(order.indexOf("mirror"));
    expect(order.lastIndexOf("bind")).toBeLessThan(order.indexOf("pivot"));
    expect(order.at(-1)).toBe("exec");
  });

  test("every host path of the view is read-only", () => {
    for (const op of [...ops(planned({}), "mirror"), ...ops(planned({}), "bind")]) {
      if ((op.flags & mountFlag.dev) === 0) expect(op.flags & mountFlag.readOnly).toBe(mountFlag.readOnly);
    }
  });

  test("parts of /etc that a distribution links elsewhere are followed", () => {
    const plan = planned({});
    const parts = [...ops(plan, "bind"), ...ops(plan, "copy")].filter(({ source }) => source.startsWith("/etc/"));
    expect(parts.length).toBeGreaterThan(10);
    for (const { flags } of parts) expect(flags & mountFlag.followSource).toBe(mountFlag.followSource);
  });

  test("an empty root shows nothing of the host but devices", () => {
    const plan = planned({ policy: policyWith({ filesystem: { root: "empty" } }) });
    expect(ops(plan, "mirror")).toEqual([]);
    expect(ops(plan, "bind").every(({ target }) => target.startsWith("/dev/"))).toBe(true);
  });

  test("rw: the workspace is writable at its own path and what runs later is read-only", () => {
    const plan = planned({ request: { repo } });
    const bind = ops(plan, "bind").find(({ target }) => target === repo.path);
    expect((bind?.flags ?? 0) & mountFlag.readOnly).toBe(0);
    const guarded = ops(plan, "read_only").map(({ target }) => target);
    for (const name of [".git/hooks", ".git/config", ".bashrc", ".mcp.json", ".vscode", ".claude/agents"]) {
      expect(guarded).toContain(`${repo.path}/${name}`);
    }
    expect(ops(plan, "workdir")[0]?.path).toBe(repo.path);
  });

  test("rw: a rename of .git can't take the protection away, because .git is a mount point", () => {
    const plan = planned({ request: { repo } });
    const order = plan.ops.map(({ op }) => ("target" in op ? `${op.op} ${op.target}` : op.op));
    const pin = order.indexOf(`bind ${repo.path}/.git`);
    expect(pin).toBeGreaterThan(order.indexOf(`bind ${repo.path}`));
    expect(pin).toBeLessThan(order.indexOf(`read_only ${repo.path}/.git/hooks`));
  });

  test("rw: a path the policy lists is writable, with a warning", () => {
    const policy = policyWith({ filesystem: { writablePaths: [`${repo.path}/.git/hooks`] } });
    const plan = planned({ request: { repo }, policy });
    expect(ops(plan, "read_only").map(({ target }) => target)).not.toContain(`${repo.path}/.git/hooks`);
    expect(plan.warnings).toHaveLength(1);
  });

  test("root's binds translate ids; a writable one insists on it", () => {
    const view = [{ kind: "rw-bind", source: "/srv/a", target: "/a", origin: flag("--rw-bind") } as const];
    const bind = ops(planned({ facts: rootFacts, request: { view } }), "bind").find(({ target }) => target === "/a");
    expect((bind?.flags ?? 0) & (mountFlag.idmap | mountFlag.idmapOptional)).toBe(mountFlag.idmap);
    const userBind = ops(planned({ request: { view } }), "bind").find(({ target }) => target === "/a");
    expect((userBind?.flags ?? 0) & mountFlag.idmap).toBe(0);
  });

  test("a denied path in the view is hidden; elsewhere it must exist", () => {
    const policy = policyWith({ filesystem: { deniedPaths: ["/usr/share/secret", "/root/.ssh"] } });
    const plan = planned({ policy });
    expect(ops(plan, "mask")).toContainEqual({ op: "mask", target: "/usr/share/secret", flags: 0 });
    expect(ops(plan, "expect")).toEqual([{ op: "expect", source: "/root/.ssh", flags: 0 }]);
  });

  test("overlays without a layer, images without a name and networks are refused, all problems at once", () => {
    const problems = refused({
      request: { repo: { ...repo, mode: "overlay" }, network: "filtered" },
      policy: policyWith({ filesystem: { root: "image" } }),
    });
    expect(problems.map(({ code }) => code)).toEqual(["invalid_argument", "unsupported", "unsupported"]);
  });

  test("a workspace at / is refused", () => {
    expect(refused({ request: { repo: { ...repo, path: "/" } } })[0]?.code).toBe("invalid_argument");
  });

  test("scratch of one place is made once", () => {
    const view = [{ kind: "tmpfs", target: "/tmp", origin: flag("--tmpfs") } as const];
    const targets = ops(planned({ request: { view } }), "scratch").map(({ target }) => target);
    expect(targets.filter((target) => target === "/tmp")).toHaveLength(1);
  });
});

describe("environment", () => {
  const env = (plan: Plan) => ops(plan, "exec")[0]?.env ?? [];

  test("only what policy and flags name enters", () => {
    const plan = planned({});
    expect(env(plan)).toContain("LANG=C.UTF-8");
    expect(env(plan).some((entry) => entry.includes("hunter2"))).toBe(false);
  });

  test("-e wins over everything, --env-pass hands in, a missing one is warned of", () => {
    const plan = planned({
      request: { env: [{ name: "PATH", value: "/x" }], envPass: ["SECRET_TOKEN", "NOT_THERE"] },
    });
    expect(env(plan)).toContain("PATH=/x");
    expect(env(plan)).toContain("SECRET_TOKEN=hunter2");
    expect(plan.warnings[0]?.message).toContain("NOT_THERE");
  });
});

describe("promises about the view", () => {
  test("are taken back where the policy lets the task undo mounts, and only there", () => {
    const state = (allowed: string[], allow: string[], name: string) => {
      const policy = policyWith({ capabilities: { allowed: allowed as never }, syscalls: { allow } });
      return guarantee(planned({ facts: rootFacts, policy }), name)?.state;
    };
    for (const name of ["filesystem_view", "proc_masked"]) {
      expect(state([], [], name)).toBe("enforced");
      expect(state(["CAP_SYS_ADMIN"], [], name)).toBe("enforced");
      expect(state([], ["mount_setattr"], name)).toBe("enforced");
      for (const call of ["mount_setattr", "open_tree", "open_tree_attr"]) {
        expect(state(["CAP_SYS_ADMIN"], [call], name)).toBe("unavailable");
      }
    }
  });
});
