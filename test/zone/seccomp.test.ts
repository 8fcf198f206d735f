/**
 * The system call filter on the running kernel: every forbidden call is denied with EPERM and told of in one event, and its allowed neighbour
 * works. That it is the filter that denied is in the event: the other layers write none.
 */
import { describe, expect, test } from "bun:test";
import { type Attempt, PROBE, probeBind } from "../support/probe.ts";
import { outcomes, sandbox, type Tried, tryInZone } from "../support/rauha.ts";

interface Forbidden {
  readonly attempt: string;
  readonly call: string;
  readonly object: string | null;
  /** The policy key that would allow it. */
  readonly key: string;
}

const allow = (call: string) => `syscalls.allow = ["${call}"]`;
const capability = (name: string) => `capabilities.allowed = ["${name}"]`;

function forbidden(attempt: string, call: string, object: string | null = null, key = allow(call)): Forbidden {
  return { attempt, call, object, key };
}

/** What issue after issue of other sandboxes was about. The numbers of `syscall` are those of both architectures (generic from 424 on). */
const groups: Readonly<Record<string, readonly Forbidden[]>> = {
  "the kernel's own programs and memory": [
    forbidden("bpf", "bpf", null, capability("CAP_BPF")),
    forbidden("perf", "perf_event_open", null, capability("CAP_PERFMON")),
    forbidden("userfaultfd", "userfaultfd"),
    forbidden("kexec", "kexec_load"),
    forbidden("module", "finit_module", null, capability("CAP_SYS_MODULE")),
    forbidden("module-init", "init_module", null, capability("CAP_SYS_MODULE")),
    forbidden("syscall 425 1 0", "io_uring_setup"),
    forbidden("reboot", "reboot", null, capability("CAP_SYS_BOOT")),
    forbidden("syslog", "syslog", null, capability("CAP_SYSLOG")),
    forbidden("vhangup", "vhangup", null, capability("CAP_SYS_TTY_CONFIG")),
  ],
  keyrings: [forbidden("key-add a b", "add_key")],
  mounts: [
    forbidden("mount none /tmp tmpfs", "mount", "/tmp", capability("CAP_SYS_ADMIN")),
    forbidden("umount /tmp", "umount2", "/tmp", capability("CAP_SYS_ADMIN")),
    forbidden("open-tree /usr", "open_tree", "/usr", capability("CAP_SYS_ADMIN")),
    forbidden("move-mount /usr /tmp", "move_mount", "/tmp", capability("CAP_SYS_ADMIN")),
    forbidden("mount-setattr /usr", "mount_setattr", "/usr", capability("CAP_SYS_ADMIN")),
    forbidden("fsopen tmpfs", "fsopen", null, capability("CAP_SYS_ADMIN")),
    forbidden("pivot /tmp /tmp", "pivot_root", "/tmp", capability("CAP_SYS_ADMIN")),
    forbidden("chroot /tmp", "chroot", "/tmp", capability("CAP_SYS_CHROOT")),
  ],
  namespaces: [
    forbidden("unshare user", "unshare", "CLONE_NEWUSER"),
    forbidden("unshare user,net", "unshare", "CLONE_NEWUSER|CLONE_NEWNET"),
    forbidden("unshare uts", "unshare", "CLONE_NEWUTS", capability("CAP_SYS_ADMIN")),
    forbidden("clone-raw user", "clone", "CLONE_NEWUSER"),
    forbidden("setns /proc/self/ns/net", "setns", "fd 3", capability("CAP_SYS_ADMIN")),
  ],
  sockets: [
    forbidden("socket 40 1", "socket", "AF_VSOCK SOCK_STREAM"),
    forbidden("socket 2 3", "socket", "AF_INET SOCK_RAW", capability("CAP_NET_RAW")),
    forbidden("socket 17 3", "socket", "AF_PACKET SOCK_RAW"),
    forbidden("socket 16 3 16", "socket", "AF_NETLINK SOCK_RAW protocol 16", capability("CAP_NET_ADMIN")),
  ],
  terminals: [
    forbidden("ioctl /dev/null 21522", "ioctl", "TIOCSTI"),
    forbidden("ioctl /dev/null 21532", "ioctl", "TIOCLINUX"),
  ],
  "other processes": [forbidden("pidfd 1 1", "pidfd_getfd", null, capability("CAP_SYS_PTRACE"))],
  files: [
    forbidden("mknod /tmp/n c 1 3", "mknod", "/tmp/n", capability("CAP_MKNOD")),
    forbidden("chmod 04755 /tmp", "chmod", "/tmp", capability("CAP_FSETID")),
  ],
};

/** What is next to it and everyday. */
const neighbours: readonly Attempt[] = [
  "socket 1 1",
  "socket 2 1",
  "socket 10 2",
  "socket 16 3 0",
  "clone-raw none",
  "ioctl /dev/null 21506",
  "create /tmp/plain",
  "chmod 0755 /tmp/plain",
  "mkdir /tmp/folder",
  "kill 0 0",
];

const x86 = process.arch === "x64";
const here = ({ attempt }: Forbidden): boolean => x86 || !/chmod |mknod /.test(attempt);

function eventsOf(tried: Tried, call: string) {
  return tried.result.enforcement_events.filter(({ action }) => action === call);
}

describe.each(Object.entries(groups))("%s", (_, calls) => {
  for (const { attempt, call, object, key } of calls.filter(here)) {
    test(`${attempt}: EPERM and one event`, async () => {
      const tried = await tryInZone([attempt]);
      expect(outcomes(tried)).toEqual({ [attempt]: "EPERM" });
      expect(tried.result.enforcement_events).toHaveLength(1);
      const [event] = eventsOf(tried, call);
      expect(event).toMatchObject({
        hook: "seccomp",
        action: call,
        decision: "deny",
        comm: "probe",
        source_zone: tried.result.zone_id,
        target_zone: null,
        object,
        policy_key: key,
      });
      expect(event?.pid).toBeGreaterThan(1);
      expect(event?.why).toContain(call);
      const between = [tried.result.started_at, event?.timestamp, tried.result.finished_at];
      expect(between.toSorted()).toEqual(between);
      expect(tried.result.events.filter((e) => e["event.name"] === "rauha.enforcement.deny")).toHaveLength(1);
      expect(tried.result.enforcement).toMatchObject({ seccomp: true, trust_level: "complete" });
    });
  }
});

test("everyday calls beside them are allowed, and nobody is told", async () => {
  const tried = await tryInZone(neighbours);
  const denied = Object.entries(outcomes(tried)).filter(([attempt, outcome]) => {
    return attempt.startsWith("ioctl") ? outcome !== "ENOTTY" : outcome !== "OK";
  });
  expect(denied).toEqual([]);
  expect(tried.result.enforcement_events).toEqual([]);
  expect(tried.result.enforcement.trust_level).toBe("complete");
});

test("a foreign architecture's calls kill: a number of x32, where there is x32", async () => {
  if (!x86) return;
  const { result } = await sandbox(probeBind, [PROBE, "syscall", "0x40000027"]);
  expect(result).toMatchObject({ status: "failed", cause: "signal", signal: "SIGSYS" });
});
