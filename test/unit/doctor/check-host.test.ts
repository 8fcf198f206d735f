import { describe, expect, test } from "bun:test";
import { checkHost, isEnforceable } from "../../../src/run/doctor/check-host.ts";
import type { CheckName, Finding, HostInputs, Trial } from "../../../src/run/doctor/finding.ts";
import { type HostSettings, settingPaths } from "../../../src/run/doctor/settings.ts";
import { delegatedFacts, rootFacts, userFacts } from "../plan/inputs.ts";

const nothing = Object.fromEntries(settingPaths.map((path) => [path, null])) as HostSettings;
const worked: Trial = { ok: true, enforced: 24 };
const refused: Trial = { ok: false, message: "clone3: EPERM", hint: null };

function findings(inputs: Partial<HostInputs>): Map<CheckName, Finding> {
  const all = checkHost({ facts: userFacts, settings: nothing, trial: worked, ...inputs });
  return new Map(all.map((finding) => [finding.check, finding]));
}

function one(check: CheckName, inputs: Partial<HostInputs>): Finding {
  const finding = findings(inputs).get(check);
  if (finding === undefined) throw new Error(`no finding ${check}`);
  return finding;
}

describe("a host that has everything", () => {
  const facts = { ...delegatedFacts, bpfLsm: { ok: true } } as const;

  test("enforces everything and has nothing to fix", () => {
    const all = checkHost({ facts, settings: nothing, trial: worked });
    expect(all.map(({ state }) => state)).toEqual(all.map(() => "enforced"));
    expect(all.map(({ fix }) => fix)).toEqual(all.map(() => null));
    expect(isEnforceable(all)).toBe(true);
  });

  test("every check is there once, in a fixed order", () => {
    expect([...findings({ facts }).keys()]).toEqual([
      "kernel",
      "user_namespaces",
      "seccomp",
      "landlock",
      "bpf_lsm",
      "memory_limit",
      "pids_limit",
      "cpu_limits",
      "io_weight",
      "launcher_memfd",
      "trial",
    ]);
  });
});

describe("kernel", () => {
  test.each([
    ["6.1.0-18-cloud-amd64", true],
    ["5.14.0", true],
    ["5.15", true],
    ["10.0", true],
    ["5.13.9", false],
    ["4.19.0-26", false],
    ["", false],
    ["junk", false],
  ])("%s: new enough %p", (kernel, enough) => {
    expect(one("kernel", { facts: { ...userFacts, kernel } }).state).toBe(enough ? "enforced" : "unavailable");
  });
});

describe("user namespaces", () => {
  test.each([
    ["/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces = 15000"],
    ["/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone = 1"],
    ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns = 0"],
  ] as const)("%s of %s is named, with the command that lasts", (path, value, line) => {
    const finding = one("user_namespaces", { settings: { ...nothing, [path]: value }, trial: refused });
    expect(finding).toMatchObject({ state: "unavailable", needed: true });
    expect(finding.fix).toBe(`echo '${line}' | sudo tee -a /etc/sysctl.d/90-rauha.conf && sudo sysctl --system`);
  });

  test("a trial that worked outweighs a setting: AppArmor may have a profile for this program", () => {
    const settings = { ...nothing, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1" };
    expect(one("user_namespaces", { settings }).state).toBe("enforced");
  });

  test("what holds for ordinary users does not hold for root", () => {
    const settings = { ...nothing, "/proc/sys/kernel/unprivileged_userns_clone": "0" };
    expect(one("user_namespaces", { facts: rootFacts, settings, trial: refused }).state).toBe("enforced");
  });

  test("root needs no sudo", () => {
    const settings = { ...nothing, "/proc/sys/user/max_user_namespaces": "0" };
    const { fix } = one("user_namespaces", { facts: rootFacts, settings, trial: refused });
    expect(fix).toBe("echo 'user.max_user_namespaces = 15000' >> /etc/sysctl.d/90-rauha.conf && sysctl --system");
  });

  test("the backend's own reason is passed on", () => {
    const facts = {
      ...userFacts,
      userNamespaces: { ok: false, reason: "not in this kernel", fix: "rebuild it" },
    } as const;
    expect(one("user_namespaces", { facts, trial: refused })).toMatchObject({
      summary: "not in this kernel",
      fix: "rebuild it",
    });
  });
});

describe("filters", () => {
  test("without seccomp no zone runs", () => {
    const facts = { ...userFacts, seccomp: { ok: false, reason: "the kernel is built without it" } } as const;
    const finding = one("seccomp", { facts });
    expect(finding).toMatchObject({ state: "unavailable", needed: true, fix: null });
    expect(finding.summary).toContain("the kernel is built without it");
  });

  test("Landlock that is compiled in and not active is switched on by a boot parameter that keeps the others", () => {
    const settings = { ...nothing, "/sys/kernel/security/lsm": "capability,yama,apparmor" };
    const finding = one("landlock", { facts: { ...userFacts, landlockAbi: 0 }, settings });
    expect(finding).toMatchObject({ state: "unavailable", needed: false });
    expect(finding.fix).toContain("lsm=landlock,yama,apparmor ");
    expect(finding.fix).toContain("update-grub");
  });

  test("Landlock that is active and can't be used, or of which nothing is known, has no command", () => {
    for (const lsm of ["capability,landlock", null]) {
      const settings = { ...nothing, "/sys/kernel/security/lsm": lsm };
      expect(one("landlock", { facts: { ...userFacts, landlockAbi: 0 }, settings }).fix).toBeNull();
    }
  });
});

describe("limits of the zone as a whole", () => {
  const all = "cpuset cpu io memory hugetlb pids rdma";

  test("cgroup v1 is as good", () => {
    expect(one("memory_limit", { facts: rootFacts })).toMatchObject({ state: "enforced", fix: null });
    expect(one("pids_limit", { facts: rootFacts }).summary).toContain(
      "cgroup v1 controller pids below /sys/fs/cgroup/pids",
    );
  });

  test("without a cgroup memory and processes fall back, CPU and IO do not", () => {
    expect(one("memory_limit", {})).toMatchObject({ state: "fallback", needed: true });
    expect(one("pids_limit", {})).toMatchObject({ state: "fallback", needed: true });
    expect(one("cpu_limits", {})).toMatchObject({ state: "unavailable", needed: false });
    expect(one("io_weight", {})).toMatchObject({ state: "unavailable", needed: false });
  });

  test("a user's systemd delegates memory and pids for the asking", () => {
    const settings = { ...nothing, "/proc/1/comm": "systemd", "/sys/fs/cgroup/cgroup.controllers": all };
    expect(one("memory_limit", { settings }).fix).toStartWith("systemd-run --user --scope");
    expect(one("cpu_limits", { settings }).fix).toContain("Delegate=cpu io memory pids");
  });

  test("root writes the controller itself", () => {
    const facts = { ...rootFacts, cgroup: { v2: null, v1: {}, reason: "no controller is handed down" } };
    const settings = { ...nothing, "/sys/fs/cgroup/cgroup.controllers": all };
    expect(one("memory_limit", { facts, settings }).fix).toBe("echo +memory > /sys/fs/cgroup/cgroup.subtree_control");
  });

  test("no command is made up where none would help", () => {
    expect(one("memory_limit", {}).fix).toBeNull();
    const settings = { ...nothing, "/proc/1/comm": "init", "/sys/fs/cgroup/cgroup.controllers": all };
    expect(one("memory_limit", { settings }).fix).toBeNull();
  });
});

describe("the launcher's memory", () => {
  test.each([
    ["0", "enforced"],
    ["1", "enforced"],
    [null, "enforced"],
    ["2", "fallback"],
  ] as const)("vm.memfd_noexec %p", (value, state) => {
    const finding = one("launcher_memfd", { settings: { ...nothing, "/proc/sys/vm/memfd_noexec": value } });
    expect(finding.state).toBe(state);
    expect(finding.fix === null).toBe(state === "enforced");
  });
});

describe("subordinate ids", () => {
  const problem = { code: "unenforceable", message: "/etc/subuid has no range", hint: "sudo usermod it" } as const;
  const usable = { asked: undefined, last: 65_536, maps: [], problems: [] };

  test.each([
    ["usable and asked for", { ...usable, asked: "/etc/rauha/registries.toml" }, "enforced", null],
    ["usable and not asked for", usable, "fallback", "subordinate = true"],
    ["neither", { ...usable, problems: [problem] }, "fallback", null],
    [
      "asked for and not to be had",
      { ...usable, asked: "own.toml", problems: [problem] },
      "unavailable",
      "sudo usermod it",
    ],
  ] as const)("%s", (_, ids, state, fix) => {
    const finding = one("subordinate_ids", { ids });
    expect([finding.state, finding.needed]).toEqual([state, false]);
    if (fix === null) expect(finding.fix).toBeNull();
    else expect(finding.fix).toContain(fix);
    if (ids.problems.length > 0) expect(finding.summary).toContain("/etc/subuid has no range");
    else expect(finding.summary).toContain("0 to 65536 by newuidmap");
  });

  test("root needs none", () => {
    expect(one("subordinate_ids", { facts: rootFacts })).toMatchObject({ state: "enforced", fix: null });
  });
});

describe("the trial", () => {
  test("decides over everything else", () => {
    const facts = { ...delegatedFacts, bpfLsm: { ok: true } } as const;
    expect(isEnforceable(checkHost({ facts, settings: nothing, trial: refused }))).toBe(false);
  });

  test("says what was in the way, and what may be around Rauha", () => {
    const trial = { ok: false, message: "mount: EPERM", hint: "unmask /proc" } as const;
    const inside = { ...nothing, "/proc/self/status": "Name:\trauha\nSeccomp:\t2\nSeccomp_filters:\t1" };
    expect(one("trial", { trial, settings: inside }).summary).toMatch(/mount: EPERM; unmask \/proc; .*seccomp filter/);
    expect(one("trial", { trial }).summary).not.toContain("seccomp filter");
  });

  test("what task does not need, does not decide", () => {
    expect(isEnforceable(checkHost({ facts: userFacts, settings: nothing, trial: worked }))).toBe(true);
  });
});
