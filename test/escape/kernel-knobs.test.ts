/** Parts of the kernel through which root inside becomes root outside: helpers it runs, cgroups, devices, keys, modules, raw calls. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { isRoot } from "../support/identity.ts";
import { expectAllowed, expectDenied } from "../support/layers.ts";
import { attemptWords, PROBE, parseAnswers, probeBind, probeOnHost, probePath } from "../support/probe.ts";
import { callerEnvironment, outcomes, RAUHA, tryInZone } from "../support/rauha.ts";

const asRoot = ["--user", "0"];

describe("programs that the kernel starts", () => {
  test("core_pattern, uevent_helper, modprobe, binfmt_misc and poweroff can't be set", async () => {
    const before = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
    const knobs = [
      "/proc/sys/kernel/core_pattern",
      "/proc/sys/kernel/modprobe",
      "/proc/sys/kernel/hotplug",
      "/proc/sys/kernel/poweroff_cmd",
      "/proc/sys/kernel/usermodehelper/bset",
      "/proc/sys/fs/binfmt_misc/register",
      "/proc/sys/vm/panic_on_oom",
      "/proc/sys/net/ipv4/ip_forward",
      "/proc/sys/user/max_user_namespaces",
      "/sys/kernel/uevent_helper",
      "/sys/kernel/vmcoreinfo",
      "/proc/sysrq-trigger",
      "/proc/1/oom_score_adj",
    ];
    const tried = await tryInZone(
      [...knobs.map((path) => ["write", path, "|/tmp/x"]), ["read", "/proc/sys/kernel/osrelease"]],
      asRoot,
    );
    for (const { attempt, outcome } of tried.answers.slice(0, -1))
      expect(`${attempt}: ${outcome}`).toMatch(/: (EROFS|EACCES|ENOENT|EPERM)$/);
    expectAllowed(tried, "read /proc/sys/kernel/osrelease");
    expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).toBe(before);
  });

  test("the zone's own name and that of no one else: sethostname is refused", async () => {
    const before = readFileSync("/proc/sys/kernel/hostname", "utf8");
    const tried = await tryInZone(["hostname evil", "self"], asRoot);
    expectDenied(tried, "hostname evil", "capabilities", "EPERM");
    expect(tried.answers[1]?.items).toContain("hostname=rauha");
    expect(readFileSync("/proc/sys/kernel/hostname", "utf8")).toBe(before);
  });
});

describe("CVE-2022-0492: cgroups", () => {
  test("can't be mounted, seen or left; release_agent is out of reach", async () => {
    const tried = await tryInZone(
      [
        ["mount", "none", "/tmp", "cgroup", "none", "memory"],
        ["mount", "none", "/tmp", "cgroup2"],
        "unshare cgroup",
        "unshare user,mount,cgroup",
        "list /sys/fs/cgroup",
        ["write", "/sys/fs/cgroup/release_agent", "/tmp/x"],
        ["lines", "/proc/self/cgroup"],
      ],
      asRoot,
    );
    for (const attempt of [
      "mount none /tmp cgroup none memory",
      "mount none /tmp cgroup2",
      "unshare cgroup",
      "unshare user,mount,cgroup",
    ]) {
      expectDenied(tried, attempt, "capabilities", "EPERM");
    }
    expectDenied(tried, "list /sys/fs/cgroup", "view", "ENOENT");
    expectDenied(tried, "write /sys/fs/cgroup/release_agent /tmp/x", "view", "ENOENT");
    // A namespace of its own shows every cgroup that the zone was put into as the root.
    const limited = tried.answers.at(-1)?.items.filter((line) => /:(memory|pids|)?:/.test(line)) ?? [];
    expect(limited.length).toBeGreaterThan(0);
    for (const line of limited) expect(line).not.toContain("rauha-zone");
  });
});

describe("devices", () => {
  test("can't be made, and a node that is there does not open outside /dev", async () => {
    const folder = makeFolder("nodes");
    const where = ["/tmp", "/dev/shm", folder];
    const tried = await tryInZone(
      where.flatMap((path) => [
        ["mknod", `${path}/disk`, "b", "254", "0"],
        ["mknod", `${path}/mem`, "c", "1", "1"],
        ["mknod", `${path}/fifo`, "p"],
      ]),
      ["--repo-path", folder, "--repo-mode", "rw", ...asRoot],
    );
    for (const path of where) {
      expectDenied(tried, `mknod ${path}/disk b 254 0`, "capabilities", "EPERM");
      expectDenied(tried, `mknod ${path}/mem c 1 1`, "capabilities", "EPERM");
      expectAllowed(tried, `mknod ${path}/fifo p`);
    }
    expect(existsSync(join(folder, "disk"))).toBe(false);
  });

  test("of the host's are not in /dev", async () => {
    const nodes = [
      "mem",
      "kmsg",
      "vda",
      "sda",
      "fuse",
      "kvm",
      "net/tun",
      "vhost-vsock",
      "vsock",
      "loop-control",
      "console",
      "port",
      "uinput",
    ];
    const tried = await tryInZone(
      nodes.map((name) => ["open", "rw", `/dev/${name}`]),
      asRoot,
    );
    for (const { attempt } of tried.answers) expectDenied(tried, attempt, "view", "ENOENT");
  });
});

describe("keyrings", () => {
  test("a key of the caller's session can't be read, listed or searched for", async () => {
    const secret = `secret-${process.pid}`;
    const tries = attemptWords([
      `key-read ${secret}`,
      "key-session mine",
      `key-read ${secret}`,
      ["lines", "/proc/keys"],
    ]);
    // The caller has a session keyring with a key in it, and starts rauha from there; in one word, since the probe splits at +.
    const inside = [RAUHA, "sandbox", ...probeBind, "--", PROBE, ...tries].map((word) => `'${word}'`).join(" ");
    const words = [
      ["key-session", "caller"],
      ["key-add", secret, "in-the-keyring"],
      ["key-read", secret],
      ["exec", "sh", "-c", inside],
    ];
    const child = Bun.spawn([probePath, ...attemptWords(words)], {
      cwd: "/",
      env: callerEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const text = await child.stdout.text();
    await child.exited;
    expect(text).toContain(`key-read ${secret}: OK in-the-keyring`);
    const json = text.split("\n").find((line) => line.startsWith("{")) ?? "";
    const { stdout } = JSON.parse(json) as { stdout: string };
    const answers = parseAnswers(stdout);
    expect(answers.map(({ outcome }) => outcome).slice(0, 3)).toEqual(["EPERM", "EPERM", "EPERM"]);
    expect(stdout).not.toContain("in-the-keyring");
  });

  test("the key calls are refused as a whole", async () => {
    const tried = await tryInZone(["key-session x", "key-add a b", "key-read a", "key-read-id 1"], asRoot);
    for (const { attempt } of tried.answers) expectDenied(tried, attempt, "syscalls", "EPERM");
  });
});

describe("calls that no task needs", () => {
  const refused = [
    "bpf",
    "perf",
    "io_uring",
    "userfaultfd",
    "kexec",
    "module",
    "module-init",
    "reboot",
    "swapon",
    "acct",
    "syslog",
    "vhangup",
    "settime",
    "iopl",
    "quotactl",
  ];

  test("are refused, for root inside as for anyone", async () => {
    for (const user of [[], asRoot]) {
      const tried = await tryInZone([...refused, "clone-raw none"], user);
      for (const attempt of refused) expectDenied(tried, attempt, "syscalls", "EPERM");
      expectAllowed(tried, "clone-raw none");
    }
  });

  test("of other architectures end the process: 32-bit calls don't slip past the filter", async () => {
    const x32 = await tryInZone([`syscall ${0x40000000 + 39}`]).catch((error: Error) => error.message);
    if (typeof x32 !== "string")
      expect(
        x32.result.signal === "SIGSYS" || x32.answers[0]?.outcome === "ENOSYS" || x32.answers[0]?.outcome === "EPERM",
      ).toBe(true);
  });

  test("sockets of other families don't open: packet, netlink beyond what libc needs, vsock, alg, bluetooth, raw", async () => {
    const sockets = [
      "socket 17 3 768",
      "socket 40 1",
      "socket 38 5",
      "socket 31 3 1",
      "socket 2 3 1",
      "socket 10 3 58",
      "socket 44 3",
      "socket 16 3 9",
      "socket 16 3 12",
    ];
    const tried = await tryInZone([...sockets, "socket 2 1", "socket 10 2", "socket 1 1"], asRoot);
    for (const attempt of sockets)
      expect(`${attempt}: ${outcomes(tried)[attempt]}`).toMatch(
        /: (EPERM|EAFNOSUPPORT|EPROTONOSUPPORT|EINVAL|EACCES)$/,
      );
    expectAllowed(tried, "socket 2 1", "socket 10 2", "socket 1 1");
  });

  test("connecting by vsock to the host is refused with its socket", async () => {
    const tried = await tryInZone(["connect vsock 2 1024", "connect vsock 1 1024"]);
    for (const { attempt, outcome } of tried.answers)
      expect(`${attempt}: ${outcome}`).toMatch(/: (EPERM|EAFNOSUPPORT)$/);
  });
});

test("what is refused is an event: the call, the process, and why", async () => {
  const tried = await tryInZone([["mount", "none", "/tmp", "tmpfs"], "unshare user"]);
  expect(tried.result.enforcement.seccomp).toBe(true);
  const calls = tried.result.enforcement_events.filter(({ decision }) => decision === "deny");
  for (const call of ["mount", "unshare"]) {
    const event = calls.find(({ object, action, message }) => `${object} ${action} ${message}`.includes(call));
    expect(event, call).toMatchObject({ decision: "deny", comm: "probe", why: expect.stringMatching(/\w/) });
  }
});

test("the neighbour on the host works: the probe can do what the zone refuses", () => {
  const answers = probeOnHost("unshare user", "key-session x");
  expect(answers.map(({ outcome }) => outcome)).toEqual(["OK", "OK"]);
  if (isRoot) expect(probeOnHost("unshare mount")[0]?.outcome).toBe("OK");
});
