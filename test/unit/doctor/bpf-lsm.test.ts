import { describe, expect, test } from "bun:test";
import { checkBpfLsm, lsmGaps } from "../../../src/run/doctor/bpf-lsm.ts";
import { type HostSettings, settingPaths } from "../../../src/run/doctor/settings.ts";
import type { LsmReadiness } from "../../../src/run/lsm.ts";
import { rootFacts, userFacts } from "../plan/inputs.ts";

const settings = Object.fromEntries(settingPaths.map((path) => [path, null])) as HostSettings;
const ready: LsmReadiness = {
  root: true,
  btf: true,
  compiled: true,
  modules: ["capability", "landlock", "yama", "bpf"],
  bpffs: true,
  pinned: false,
  trial: { ok: true, change: "tried", programs: 0 },
};
const gapsOf = (change: Partial<LsmReadiness>, facts = rootFacts) => lsmGaps({ facts }, { ...ready, ...change });

describe("what stands between a host and BPF-LSM", () => {
  test("nothing, where there is everything", () => {
    expect(gapsOf({})).toEqual([]);
  });

  test("CONFIG_BPF_LSM", () => {
    expect(gapsOf({ compiled: false, trial: null })).toEqual([
      { what: expect.stringContaining("CONFIG_BPF_LSM=y"), fix: null },
    ]);
  });

  test("BTF", () => {
    const [gap] = gapsOf({ btf: false, compiled: null, trial: null });
    expect(gap?.what).toContain("CONFIG_DEBUG_INFO_BTF=y");
  });

  test("the boot parameter, with the modules that are active now", () => {
    const [gap] = gapsOf({ modules: ["capability", "landlock", "yama"], trial: null });
    expect(gap?.what).toContain("bpf is not among the active security modules (capability, landlock, yama)");
    expect(gap?.fix).toContain("lsm=landlock,yama,bpf ");
  });

  test("a bpffs", () => {
    const mount = "mount -t bpf -o mode=700 bpf /sys/fs/bpf";
    expect(gapsOf({ bpffs: false })).toEqual([{ what: "no bpffs is mounted at /sys/fs/bpf", fix: mount }]);
    expect(gapsOf({ bpffs: false, root: false }, userFacts)[0]?.fix).toBe(`sudo ${mount}`);
  });

  test("privilege", () => {
    expect(gapsOf({ root: false, trial: null }, userFacts)).toEqual([
      { what: "only root can load and use BPF programs", fix: null },
    ]);
  });

  test("a kernel that has it all and refuses still", () => {
    const trial = { ok: false, failed: "load", errno: "EPERM", log: "" } as const;
    expect(gapsOf({ trial })[0]?.what).toBe(
      "a BPF-LSM program can't be attached: load: EPERM, though it runs as root: this kernel, or what is around it, forbids it",
    );
    // It is not said twice: the cause is known.
    expect(gapsOf({ trial, modules: ["capability"] })).toHaveLength(1);
  });

  test("all of it at once", () => {
    const all = gapsOf(
      { btf: false, compiled: false, modules: ["capability"], bpffs: false, root: false, trial: null },
      userFacts,
    );
    expect(all).toHaveLength(4);
  });
});

describe("doctor", () => {
  const trial = { ok: true, enforced: 24 } as const;

  test("says that the programs guard", () => {
    const facts = { ...rootFacts, bpfLsm: { ok: true } } as const;
    expect(checkBpfLsm({ facts, settings, trial })).toMatchObject({ state: "enforced", fix: null });
  });

  test("names the command that sets them up", () => {
    expect(checkBpfLsm({ facts: rootFacts, settings, trial, lsm: ready })).toMatchObject({
      state: "unavailable",
      needed: false,
      fix: "rauha setup",
    });
  });

  test("names every gap, and the first thing to do", () => {
    const lsm = { ...ready, modules: ["capability"], bpffs: false, trial: null };
    const { summary, fix } = checkBpfLsm({ facts: rootFacts, settings, trial, lsm });
    expect(summary).toContain("not among the active security modules");
    expect(summary).toContain("no bpffs is mounted");
    expect(fix).toContain("lsm=bpf");
  });

  test("is as short as before where nobody asked", () => {
    expect(checkBpfLsm({ facts: userFacts, settings, trial }).summary).toContain("not set up");
  });
});
