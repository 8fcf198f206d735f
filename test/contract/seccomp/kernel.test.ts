import { afterAll, describe, expect, test } from "bun:test";
import { defaultProfile } from "../../../src/run/seccomp/default-profile.gen.ts";
import type { Arch, SeccompProfile } from "../../../src/run/seccomp/profile.ts";
import { shippedFilter } from "../../../src/run/seccomp/shipped.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { filterOf } from "../../unit/seccomp/profiles.ts";
import { openProbe } from "./probe.ts";

const arch: Arch = process.arch === "arm64" ? "aarch64" : "x86_64";
const probe = openProbe();
afterAll(() => probe.close());

/** An errno that no call returns by itself: what has it was denied by the filter and by nothing else. */
const MARK = 124;
const marked: SeccompProfile = { ...defaultProfile, defaultAction: { kind: "errno", errno: MARK } };

const bare = probe.run("none").results;

const deniedNames = [
  "socket inet raw",
  "socket inet raw, flags",
  "socket inet sctp",
  "socket packet",
  "socket inet packet",
  "socket netlink netfilter",
  "socket vsock",
  "socket vsock, high bits",
  "socket alg",
  "socket key",
  "socket bluetooth",
  "clone newuser",
  "clone newuser, high bits",
  "clone newnet",
  "unshare newuser",
  "unshare newtime",
  "setns",
  "personality read implies exec",
  "chmod u+s",
  "chmod u+s, high bits",
  "fchmodat2 u+s",
  "mknod device",
  "mknod whiteout",
  "mknod u+s",
  "pidfd_getfd",
  "bpf",
  "keyctl",
  "add_key",
  "request_key",
  "userfaultfd",
  "perf_event_open",
  "io_uring_setup",
  "io_uring_enter",
  "mount",
  "umount2",
  "fsopen",
  "open_tree",
  "pivot_root",
  "chroot",
  "open_by_handle_at",
  "kexec_load",
  "init_module",
  "swapon",
  "settimeofday",
  "reboot",
  "seccomp second listener",
];
const ioctls = ["TIOCSTI", "TIOCSTI, high bits", "TIOCLINUX", "TIOCLINUX, high bits", "TIOCSETD"];

describe("on this kernel, the default profile", () => {
  const { results } = probe.run("plain", filterOf(marked, { arch }));
  const unlike = (names: readonly string[], expected: string): (string | undefined)[][] =>
    names.filter((name) => results.get(name) !== expected).map((name) => [name, results.get(name)]);

  test("denies by itself, not by lack of privilege", () => {
    expect(unlike(deniedNames, `errno ${MARK}`)).toEqual([]);
    const letThrough = deniedNames.filter((name) => bare.get(name) === `errno ${MARK}`);
    expect(letThrough).toEqual([]);
  });

  test("denies typing into terminals, high bits or not", () => {
    for (const name of ioctls) expect([name, results.get(`ioctl ${name}`)]).toEqual([name, "errno 1"]);
    for (const name of ioctls) expect(bare.get(`ioctl ${name}`)).toBe("errno 9");
  });

  test("answers as an older kernel where that makes programs fall back", () => {
    expect([results.get("clone3"), results.get("unknown call"), results.get("skipped call")]).toEqual(
      Array(3).fill("errno 38"),
    );
    expect(results.get("socket inet mptcp")).toBe("errno 93");
    expect(results.get("socket netlink audit")).toBe("errno 22");
  });

  test("leaves everything next to it as it is without a filter", () => {
    // Without no_new_privs, which comes with the filter, an ordinary user may add no filter.
    const decided = [
      "seccomp filter",
      "clone3",
      "socket inet mptcp",
      "socket netlink audit",
      "x32 getpid",
      "i386 getpid",
    ];
    const others = [...bare.keys()].filter(
      (name) => !deniedNames.includes(name) && !decided.includes(name) && !ioctls.includes(name.slice(6)),
    );
    expect(others.length).toBeGreaterThan(15);
    expect(others.map((name) => [name, results.get(name)])).toEqual(others.map((name) => [name, bare.get(name)]));
    expect([results.get("getppid"), results.get("seccomp filter")]).toEqual(["ok", "ok"]);
  });

  test("kills programs that enter by another door", () => {
    if (arch !== "x86_64") return expect(results.has("x32 getpid")).toBe(false);
    expect(results.get("x32 getpid")).toBe("signal 31");
    // A kernel without 32-bit programs has no such door: a fault, filter or not.
    expect(results.get("i386 getpid")).toBe(bare.get("i386 getpid") === "ok" ? "signal 31" : "signal 11");
  });
});

describe("with a listener", () => {
  const filter = shippedFilter({ arch, capabilities: [], deny: [], allow: [] }, "notify") ?? new Uint8Array();
  const { results, asked } = probe.run("listen", filter);
  const number = (name: string): number => syscallTable(arch).numbers.get(name) ?? -1;

  test("denied calls are asked about and get EPERM", () => {
    const denied = [...deniedNames, ...ioctls.map((name) => `ioctl ${name}`)];
    expect(denied.filter((name) => results.get(name) !== "errno 1")).toEqual([]);
    for (const name of ["mount", "bpf", "ioctl", "socket", "clone", "unshare", "seccomp"]) {
      expect(asked.has(number(name))).toBe(true);
    }
  });

  test("quiet denials and allowed calls are not asked about", () => {
    for (const name of ["clone3", "getppid", "write", "mbind"]) expect(asked.has(number(name))).toBe(false);
    expect(results.get("clone3")).toBe("errno 38");
  });

  test("the kernel takes no second one even where a policy allows it", () => {
    const lifted = filterOf(defaultProfile, { arch, allow: ["seccomp"], deniedAction: "notify" });
    expect(probe.run("listen", lifted).results.get("seccomp second listener")).toBe("errno 16");
  });

  test("without its listener the filter still denies, and nobody can take its place", () => {
    const orphan = probe.run("orphan", filter).results;
    for (const name of ["mount", "bpf", "clone newuser", "ioctl TIOCSTI", "seccomp second listener"]) {
      expect([name, orphan.get(name)]).toEqual([name, "errno 38"]);
    }
    expect(orphan.get("getppid")).toBe("ok");
  });
});

test("the kernel takes a filter of thousands of instructions", () => {
  const names = [...syscallTable(arch).numbers.keys()].filter((name) => name !== "execve" && name.startsWith("m"));
  const rules = names.flatMap((name, call) =>
    Array.from({ length: 24 }, (_, at) => ({
      names: [name],
      action: { kind: "errno", errno: 1 } as const,
      conditions: [{ index: at % 6, op: "eq", value: (BigInt(at) << 32n) | BigInt(call) } as const],
    })),
  );
  const filter = filterOf({ defaultAction: { kind: "allow" }, rules, architectures: null }, { arch });
  expect(filter.length / 8).toBeGreaterThan(3000);
  expect(probe.run("plain", filter).results.get("getppid")).toBe("ok");
});
