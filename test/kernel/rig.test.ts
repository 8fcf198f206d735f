/**
 * The facts of the guest that the kernel suite rests on. When one of these fails, the rig is wrong and nothing else in the suite can be
 * believed: they run first and name the fact.
 */
import { describe, expect, test } from "bun:test";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { idmappedMount, landlockAbi } from "./kernel-probes.ts";

const isRoot = process.getuid?.() === 0;
const inVm = process.env["RAUHA_TEST_VM"] === "1";
const read = (path: string): string => readFileSync(path, "utf8").trim();
const ownCgroup = (): string => `/sys/fs/cgroup${read("/proc/self/cgroup").replace(/^0::/, "")}`;

/** A fact that is not to hold here is no test here, and so no skip that someone would have to explain. */
function describeWhen(holds: boolean, name: string, body: () => void): void {
  if (holds) describe(name, body);
}

function output(...argv: string[]): { code: number; stdout: string; stderr: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv, { stdin: "ignore" });
  return { code: exitCode, stdout: stdout.toString().trim(), stderr: stderr.toString().trim() };
}

describeWhen(inVm, "the guest's kernel", () => {
  test("is 6.1 or newer", () => {
    const [major = 0, minor = 0] = read("/proc/sys/kernel/osrelease").split(".").map(Number);
    expect(major * 1000 + minor).toBeGreaterThanOrEqual(6001);
  });

  test("has bpf, Landlock and Yama among its active security modules", () => {
    const active = read("/sys/kernel/security/lsm").split(",");
    for (const name of ["capability", "landlock", "yama", "bpf"]) expect(active).toContain(name);
  });

  test("describes its types in BTF", () => {
    const head = readFileSync("/sys/kernel/btf/vmlinux").subarray(0, 2);
    expect(head.readUInt16LE(0)).toBe(0xeb9f);
  });

  test("has Landlock's second ABI or a later one", () => {
    expect(landlockAbi()).toBeGreaterThanOrEqual(2);
  });

  test("listens to seccomp user notifications", () => {
    expect(read("/proc/sys/kernel/seccomp/actions_avail").split(" ")).toContain("user_notif");
  });

  test("refuses BPF to ordinary users", () => {
    expect(read("/proc/sys/kernel/unprivileged_bpf_disabled")).not.toBe("0");
  });
});

describeWhen(inVm, "the guest's cgroups", () => {
  const controllers = ["cpu", "io", "memory", "pids"];

  test("are of version 2 alone, with the controllers that limit zones", () => {
    expect(read("/proc/self/cgroup")).toStartWith("0::/");
    const offered = read(join(ownCgroup(), "..", "cgroup.subtree_control")).split(" ");
    for (const name of controllers) expect(offered).toContain(name);
  });

  test("let a cgroup be made, limited and joined beside the own one", () => {
    const cgroup = join(ownCgroup(), "..", `probe-${process.pid}`);
    mkdirSync(cgroup);
    try {
      writeFileSync(join(cgroup, "memory.max"), "64M");
      writeFileSync(join(cgroup, "pids.max"), "16");
      writeFileSync(join(cgroup, "cpu.max"), "50000 100000");
      const joined = output("sh", "-c", `echo $$ >${cgroup}/cgroup.procs && cat /proc/self/cgroup`);
      expect(joined).toEqual({ code: 0, stdout: expect.stringContaining(`probe-${process.pid}`), stderr: "" });
      expect(existsSync(join(cgroup, "cgroup.kill"))).toBe(true);
    } finally {
      rmdirSync(cgroup);
    }
  });
});

describeWhen(inVm && !isRoot, "the guest's ordinary user", () => {
  test("has a name, a home and a runtime folder", () => {
    expect(output("id", "-un").stdout).toBe("rig");
    for (const name of ["HOME", "XDG_RUNTIME_DIR"]) accessSync(process.env[name] ?? "", constants.W_OK);
  });

  test("owns its delegated cgroup and nothing above it", () => {
    const delegated = "/sys/fs/cgroup/user.slice/user-12321.slice/user@12321.service";
    expect(ownCgroup()).toStartWith(`${delegated}/`);
    for (const file of ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]) {
      accessSync(join(delegated, file), constants.W_OK);
      expect(() => accessSync(join(delegated, "..", file), constants.W_OK)).toThrow("EACCES");
    }
    expect(() => writeFileSync(join(delegated, "memory.max"), "max")).toThrow("EACCES");
  });

  test("may make user namespaces", () => {
    expect(output("unshare", "--user", "--map-root-user", "id", "-u")).toEqual({ code: 0, stdout: "0", stderr: "" });
  });

  test("may map a range of ids through newuidmap", () => {
    const { code, stdout } = output("unshare", "--user", "--map-auto", "--map-root-user", "cat", "/proc/self/uid_map");
    expect({ code, lines: stdout.split("\n").length }).toEqual({ code: 0, lines: 2 });
  });

  test("may mount an overlay in a user namespace", () => {
    const folder = mkdtempSync("/var/tmp/rig-overlay-");
    const script = `cd ${folder} && mkdir lower upper work merged && echo below >lower/file &&
      mount -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work overlay merged &&
      echo above >merged/file && cat lower/file upper/file`;
    const { code, stdout } = output("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script);
    output("rm", "-rf", folder);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "below\nabove" });
  });
});

describeWhen(inVm && isRoot, "the guest's root", () => {
  test("has every capability", () => {
    expect(/^CapEff:\s*(\w+)$/m.exec(read("/proc/self/status"))?.[1]).toMatch(/^[0-9a-f]*1ffffffffff$/);
  });

  test("can map the ids of a mount of ext4", () => {
    const folder = mkdtempSync("/var/tmp/rig-idmap-");
    writeFileSync(join(folder, "file"), "");
    const seen = idmappedMount(folder, 100_000, (mounted) => output("stat", "-c", "%u", join(mounted, "file")).stdout);
    expect(seen).toEqual({ errno: null, value: "100000" });
  });

  test("can't map the ids of a mount of tmpfs before Linux 6.3", () => {
    const [major = 0, minor = 0] = read("/proc/sys/kernel/osrelease").split(".").map(Number);
    const folder = mkdtempSync("/dev/shm/rig-idmap-");
    const seen = idmappedMount(folder, 100_000, () => "");
    rmdirSync(folder);
    expect(seen.errno).toBe(major * 1000 + minor < 6003 ? "EINVAL" : null);
  });

  test("can pin in the bpffs", () => {
    mkdirSync("/sys/fs/bpf/probe");
    rmdirSync("/sys/fs/bpf/probe");
  });
});
