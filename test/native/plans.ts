import { ioMode, ioStdin, mountFlag, type PlanOp } from "../../src/run/plan/contract.ts";

/** Who runs the launcher: root with an unprivileged range of ids, or an ordinary user with his own id alone. */
export type Runner = "root" | "user";

/** The ordinary user of these tests, who need not exist: us, when we are none but root. */
export const userId = process.getuid?.() || 12321;
export const groupId = process.getgid?.() || 12321;
/** First id on the host of root's zones in these tests. */
export const rangeBase = 0x4000_0000;

/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET */
export const allNamespaces = 0x7e020000;

export interface PlanParts {
  readonly runner: Runner;
  readonly argv: readonly string[];
  readonly env?: readonly string[];
  /** Ops between the root and the pivot, after the host view. */
  readonly mounts?: readonly PlanOp[];
  /** Ops before everything: cgroups. */
  readonly before?: readonly PlanOp[];
  /** Ops after the pivot: limits, timeout, verify. */
  readonly after?: readonly PlanOp[];
  readonly io?: { readonly mode?: keyof typeof ioMode; readonly stdin?: boolean; readonly maxOutput?: number };
  readonly workdir?: string;
  readonly mask?: bigint;
  readonly readOnlyRoot?: boolean;
  readonly namespaces?: number;
  /** Ids of the task inside. */
  readonly uid?: number;
}

/** Ops that every zone of these tests has, in the order of the planner. */
export function plan(parts: PlanParts): PlanOp[] {
  const { runner, argv, env = ["PATH=/usr/bin:/bin"], mounts = [], before = [], after = [], io = {} } = parts;
  const own = runner === "root" ? 0 : userId;
  const uid = parts.uid ?? own;
  return [
    { op: "namespaces", flags: parts.namespaces ?? allNamespaces },
    ...before,
    ...idMaps(runner),
    { op: "root", size: 16 << 20, inodes: 4096 },
    ...hostView(),
    ...mounts,
    { op: "pivot", read_only_root: parts.readOnlyRoot === false ? 0 : 1 },
    { op: "hostname", name: "zone" },
    { op: "loopback" },
    { op: "identity", uid, gid: uid, groups: [], umask: 0o022, flags: runner === "root" ? 1 : 0 },
    { op: "capabilities", mask: parts.mask ?? 0n },
    ...after,
    {
      op: "io",
      mode: ioMode[io.mode ?? "capture"],
      stdin: io.stdin ? ioStdin.caller : ioStdin.none,
      max_output: io.maxOutput ?? 1 << 20,
    },
    { op: "workdir", path: parts.workdir ?? "/" },
    { op: "exec", argv, env },
  ];
}

export function idMaps(runner: Runner): PlanOp[] {
  if (runner === "root") {
    return [
      { op: "uid_map", inside: 0, outside: rangeBase, count: 65536 },
      { op: "gid_map", inside: 0, outside: rangeBase, count: 65536 },
    ];
  }
  return [
    { op: "setgroups_deny" },
    { op: "uid_map", inside: userId, outside: userId, count: 1 },
    { op: "gid_map", inside: userId, outside: groupId, count: 1 },
  ];
}

/** A view much like the one that the planner makes: programs read-only, /proc, a minimal /dev, scratch space. */
export function hostView(): PlanOp[] {
  const flags = mountFlag.readOnly | mountFlag.optional;
  const devices = ["null", "zero", "full", "random", "urandom", "tty"];
  const links = { ptmx: "pts/ptmx", fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1" };
  return [
    ...["/usr", "/bin", "/sbin", "/lib", "/lib64"].map(
      (path): PlanOp => ({ op: "mirror", source: path, target: path, flags }),
    ),
    { op: "bind", source: "/etc/alternatives", target: "/etc/alternatives", flags: flags | mountFlag.expectDir },
    { op: "bind", source: "/etc/ssl/certs", target: "/etc/ssl/certs", flags: flags | mountFlag.expectDir },
    ...["/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/no-such-file"].map(
      (path): PlanOp => ({ op: "copy", source: path, target: path, mode: 0o644, flags: mountFlag.optional }),
    ),
    { op: "file", target: "/etc/passwd", mode: 0o644, content: new TextEncoder().encode("root:x:0:0::/:/bin/sh\n") },
    { op: "scratch", target: "/tmp", mode: 0o1777, flags: 0 },
    { op: "scratch", target: "/run", mode: 0o755, flags: 0 },
    { op: "proc", target: "/proc" },
    ...["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi"].map(
      (target): PlanOp => ({ op: "mask", target, flags: mountFlag.optional }),
    ),
    ...["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"].map(
      (target): PlanOp => ({ op: "read_only", target, flags: mountFlag.optional }),
    ),
    ...devices.map((name): PlanOp => {
      const path = `/dev/${name}`;
      const deviceFlags = mountFlag.dev | mountFlag.noExec | mountFlag.expectFile;
      return { op: "bind", source: path, target: path, flags: deviceFlags };
    }),
    { op: "devpts", target: "/dev/pts" },
    { op: "scratch", target: "/dev/shm", mode: 0o1777, flags: mountFlag.noExec },
    ...Object.entries(links).map(([name, value]): PlanOp => ({ op: "symlink", value, target: `/dev/${name}` })),
  ];
}
