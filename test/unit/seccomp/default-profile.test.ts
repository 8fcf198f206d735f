import { describe, expect, test } from "bun:test";
import { defaultProfile } from "../../../src/run/seccomp/default-profile.gen.ts";
import type { Arch } from "../../../src/run/seccomp/profile.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { auditArch, runFilter } from "./interpreter.ts";
import { filterOf } from "./profiles.ts";
import { ALLOW, ENOSYS, EPERM, edges } from "./reference.ts";

/** How the default profile answers, zone without capabilities unless some are named. */
function asker(arch: Arch, capabilities: readonly string[] = []) {
  const filter = filterOf(defaultProfile, { arch, capabilities });
  return (name: string, ...args: bigint[]): number => {
    const number = syscallTable(arch).numbers.get(name);
    if (number === undefined) throw new Error(`${arch} has no ${name}`);
    return runFilter(filter, { number, arch: auditArch[arch], args }).verdict;
  };
}

const HIGH = 0xdead_beef_0000_0000n;
const denied = (
  "bpf kexec_load kexec_file_load init_module finit_module delete_module add_key request_key keyctl userfaultfd " +
  "perf_event_open mount umount2 move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr pivot_root " +
  "chroot unshare setns io_uring_setup io_uring_enter io_uring_register open_by_handle_at lookup_dcookie nfsservctl acct " +
  "quotactl quotactl_fd swapon swapoff reboot settimeofday clock_settime clock_adjtime adjtimex syslog vhangup fanotify_init " +
  "fanotify_mark kcmp pidfd_getfd process_madvise sethostname setdomainname"
).split(" ");
const deniedOnX86 = (
  "uselib ustat sysfs _sysctl iopl ioperm modify_ldt create_module query_module get_kernel_syms afs_syscall tuxcall security " +
  "vserver getpmsg putpmsg epoll_ctl_old epoll_wait_old"
).split(" ");
const quiet = (
  "clone3 get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node cachestat file_getattr " +
  "file_setattr io_pgetevents listmount statmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules remap_file_pages vmsplice"
).split(" ");
const looked =
  "chmod creat fchmod fchmodat fchmodat2 mknod mknodat clone ioctl personality seccomp socket socketpair".split(" ");

describe.each(["x86_64", "aarch64"] as const)("the default profile on %s", (arch) => {
  const ask = asker(arch);

  test("denies what reaches the kernel's inside or out of the zone, and says so", () => {
    const here = arch === "x86_64" ? [...denied, ...deniedOnX86] : denied;
    expect(here.filter((name) => ask(name) !== EPERM)).toEqual([]);
  });

  test("tells programs to fall back where there is an older way", () => {
    expect(quiet.filter((name) => ask(name) !== ENOSYS)).toEqual([]);
  });

  test("speaks of every system call there is, and allows all others", () => {
    const spoken = new Set([...denied, ...deniedOnX86, ...quiet, ...looked]);
    const others = [...syscallTable(arch).numbers.keys()].filter((name) => !spoken.has(name));
    const notImplemented = ["set_thread_area", "get_thread_area"];
    expect(others.filter((name) => ask(name) !== ALLOW).filter((name) => !notImplemented.includes(name))).toEqual([]);
  });

  test("new processes: none in a namespace of its own", () => {
    expect(ask("clone", 0x11n)).toBe(ALLOW);
    expect(ask("clone", 0x003d_0f00n)).toBe(ALLOW);
    for (const flag of [0x2_0000n, 0x200_0000n, 0x400_0000n, 0x800_0000n, 0x1000_0000n, 0x2000_0000n, 0x4000_0000n]) {
      expect(ask("clone", flag | 0x11n)).toBe(EPERM);
      expect(ask("clone", HIGH | flag)).toBe(EPERM);
    }
    expect(ask("clone", HIGH | 0x11n)).toBe(ALLOW);
  });

  test("sockets: local ones, TCP, UDP, echo; of netlink the routing family", () => {
    const socket = (...args: bigint[]): number => ask("socket", ...args);
    for (const flags of [0n, 0x800n, 0x8_0000n, 0x8_0800n, HIGH]) {
      expect(socket(1n, 1n | flags, 0n)).toBe(ALLOW);
      expect(socket(1n, 5n | flags, 0n)).toBe(ALLOW);
      expect(socket(2n, 1n | flags, 6n)).toBe(ALLOW);
      expect(socket(2n, 2n | flags, 17n)).toBe(ALLOW);
      expect(socket(2n, 2n | flags, 1n)).toBe(ALLOW);
      expect(socket(10n, 2n | flags, 58n)).toBe(ALLOW);
      expect(socket(16n, 3n | flags, 0n)).toBe(ALLOW);
      expect(socket(2n, 3n | flags, 0n)).toBe(EPERM);
      expect(socket(10n, 3n | flags, 255n)).toBe(EPERM);
      expect(socket(2n, 10n | flags, 0n)).toBe(EPERM);
      expect(socket(2n, 5n | flags, 132n)).toBe(EPERM);
      expect(socket(2n, 1n | flags, 132n)).toBe(EPERM);
      expect(socket(2n, 1n | flags, 262n)).toBe(0x0005_005d);
    }
    for (const family of [0n, 3n, 15n, 17n, 29n, 31n, 38n, 40n, 41n, 44n, 45n, 99n]) {
      for (const high of [0n, HIGH, 1n << 32n]) expect(socket(family | high, 1n, 0n)).toBe(EPERM);
    }
    expect(socket(16n, 3n, 9n)).toBe(0x0005_0016);
    for (const protocol of [4n, 6n, 12n, 15n, 16n, 21n]) expect(socket(16n, 3n, protocol)).toBe(EPERM);
    expect(socket(HIGH | 2n, HIGH | 1n, HIGH)).toBe(ALLOW);
    expect(ask("socketpair", 1n, 1n, 0n)).toBe(ALLOW);
    expect(ask("socketpair", 30n, 1n, 0n)).toBe(EPERM);
  });

  test("ioctl: no typing into terminals, whatever the bits are that the kernel drops", () => {
    for (const request of [0x5412n, 0x541cn, 0x541dn, 0x5423n]) {
      for (const high of [0n, 1n << 32n, HIGH, 0xffff_ffff_0000_0000n])
        expect(ask("ioctl", 0n, high | request)).toBe(EPERM);
      for (const near of edges(request).filter((one) => (one & 0xffff_ffffn) !== request)) {
        expect([EPERM, ALLOW]).toContain(ask("ioctl", 0n, near));
      }
    }
    for (const request of [0x5401n, 0x5413n, 0x5421n, 0x541bn, 0x8004_5430n, 0xffff_ffff_8004_5430n]) {
      expect(ask("ioctl", 0n, request)).toBe(ALLOW);
    }
  });

  test("personality: only what does no harm", () => {
    for (const value of [0n, 8n, 0x4_0000n, 0xffff_ffffn, 0xffff_ffff_ffff_ffffn]) {
      expect(ask("personality", value)).toBe(ALLOW);
    }
    for (const value of [0x40_0000n, 0x10_0000n, 0x2_0000n, 0x80_0000n, 0x4_0008n, 1n, HIGH | 0x40_0000n]) {
      expect(ask("personality", value)).toBe(EPERM);
    }
  });

  test("modes: no set-user-ID bit; set-group-ID stays, directories use it", () => {
    for (const mode of [0o4000n, 0o4755n, 0o6755n, HIGH | 0o4711n]) {
      expect(ask("fchmod", 3n, mode)).toBe(EPERM);
      expect(ask("fchmodat", -100n, 0n, mode)).toBe(EPERM);
      expect(ask("fchmodat2", -100n, 0n, mode, 0n)).toBe(EPERM);
    }
    for (const mode of [0n, 0o755n, 0o2775n, 0o1777n, 0o10_0644n]) expect(ask("fchmod", 3n, mode)).toBe(ALLOW);
    expect(ask("fchmodat", 0o4755n, 0n, 0o755n)).toBe(ALLOW);
  });

  test("mknod: files, FIFOs and sockets", () => {
    const mknod = (mode: bigint): number => ask("mknodat", -100n, 0n, mode, 0n);
    for (const type of [0n, 0o10_0000n, 0o1_0000n, 0o14_0000n]) {
      expect(mknod(type | 0o644n)).toBe(ALLOW);
      expect(mknod(type | 0o4644n)).toBe(EPERM);
    }
    for (const type of [0o2_0000n, 0o6_0000n, 0o4_0000n, 0o12_0000n, 0o17_0000n])
      expect(mknod(type | 0o644n)).toBe(EPERM);
  });

  test("seccomp: more filters, but no second listener", () => {
    expect(ask("seccomp", 1n, 0n)).toBe(ALLOW);
    expect(ask("seccomp", 1n, 1n)).toBe(ALLOW);
    expect(ask("seccomp", 1n, 8n)).toBe(EPERM);
    expect(ask("seccomp", 1n, HIGH | 0x19n)).toBe(EPERM);
  });
});

describe("capabilities open what they are for", () => {
  const opened: Readonly<Record<string, string>> = {
    CAP_SYS_ADMIN:
      "clone3 fanotify_init fanotify_mark fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree " +
      "open_tree_attr pivot_root quotactl quotactl_fd setdomainname sethostname setns umount2 unshare",
    CAP_SYS_CHROOT: "chroot",
    CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise",
    CAP_SYS_NICE: "get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node",
    CAP_DAC_READ_SEARCH: "open_by_handle_at",
    CAP_SYS_TIME: "adjtimex clock_adjtime clock_settime settimeofday",
    CAP_SYS_PACCT: "acct",
    CAP_SYS_RAWIO: "ioperm iopl",
    CAP_SYS_TTY_CONFIG: "vhangup",
    CAP_SYSLOG: "syslog",
    CAP_SYS_BOOT: "reboot",
    CAP_SYS_MODULE: "delete_module finit_module init_module",
    CAP_BPF: "bpf",
    CAP_PERFMON: "perf_event_open",
  };

  test.each(Object.entries(opened))("%s", (capability, names) => {
    const [without, having] = [asker("x86_64"), asker("x86_64", [capability])];
    const changed = [...syscallTable("x86_64").numbers.keys()].filter((name) => without(name) !== having(name));
    expect(changed.sort()).toEqual(names.split(" "));
    expect(changed.filter((name) => having(name) !== ALLOW)).toEqual([]);
  });

  test("and rules on arguments", () => {
    expect(asker("x86_64", ["CAP_SYS_ADMIN"])("clone", 0x1000_0000n)).toBe(ALLOW);
    expect(asker("x86_64", ["CAP_MKNOD"])("mknod", 0n, 0o2_0644n)).toBe(ALLOW);
    expect(asker("x86_64", ["CAP_FSETID"])("chmod", 0n, 0o4755n)).toBe(ALLOW);
    const raw = asker("x86_64", ["CAP_NET_RAW"]);
    expect([raw("socket", 2n, 3n, 255n), raw("socket", 10n, 3n, 58n), raw("socket", 17n, 3n, 3n)]).toEqual([
      ALLOW,
      ALLOW,
      EPERM,
    ]);
    const admin = asker("x86_64", ["CAP_NET_ADMIN"]);
    expect([4n, 12n, 16n, 6n].map((protocol) => admin("socket", 16n, 3n, protocol))).toEqual([
      ALLOW,
      ALLOW,
      ALLOW,
      EPERM,
    ]);
    expect(asker("x86_64", ["CAP_AUDIT_WRITE"])("socket", 16n, 3n, 9n)).toBe(ALLOW);
  });

  test("everyday capabilities change nothing", () => {
    const everyday = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"];
    expect(filterOf(defaultProfile, { capabilities: everyday })).toEqual(filterOf(defaultProfile));
  });
});
