import { describe, expect, test } from "bun:test";
import { defaultProfile } from "../../../src/run/seccomp/default-profile.gen.ts";
import type { SeccompRule } from "../../../src/run/seccomp/profile.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { auditArch, runFilter } from "./interpreter.ts";
import { allow, compile, errno, filterOf, profileOf, refusals, rule } from "./profiles.ts";
import { ALLOW, ENOSYS, EPERM, NOTIFY } from "./reference.ts";

function ask(filter: Uint8Array, name: string, args: readonly bigint[] = []): number {
  const number = syscallTable("x86_64").numbers.get(name) ?? -1;
  return runFilter(filter, { number, arch: auditArch.x86_64, args }).verdict;
}

describe("the policy's lists", () => {
  test("deny takes away what the profile allows, with or without conditions", () => {
    const filter = filterOf(defaultProfile, { deny: ["ptrace", "socket", "openat"] });
    expect(["ptrace", "socket", "openat"].map((name) => ask(filter, name, [1n, 1n]))).toEqual([EPERM, EPERM, EPERM]);
    expect(ask(filter, "open")).toBe(ALLOW);
  });

  test("allow lifts what is always denied, and conditions", () => {
    const filter = filterOf(defaultProfile, { allow: ["bpf", "ioctl", "clone3"] });
    expect(ask(filter, "bpf")).toBe(ALLOW);
    expect(ask(filter, "ioctl", [0n, 0x5412n])).toBe(ALLOW);
    expect(ask(filter, "clone3")).toBe(ALLOW);
    expect(ask(filter, "kexec_load")).toBe(EPERM);
  });

  test("a name that is none is refused with what was meant, each with its place", () => {
    const outcome = compile(defaultProfile, {
      deny: ["mount", "ptrase"],
      allow: ["xyzzyqwertyuiop", "umount"],
      origin: (key) => ({ kind: "policy", policy: "mine", key, file: "mine.toml", line: 4, column: 9 }),
    });
    expect(outcome).toEqual({
      ok: false,
      diagnostics: [
        {
          code: "invalid_policy",
          message: '"ptrase" is not a system call',
          origin: { kind: "policy", policy: "mine", key: "syscalls.deny[1]", file: "mine.toml", line: 4, column: 9 },
          hint: 'did you mean "ptrace"?',
        },
        {
          code: "invalid_policy",
          message: '"xyzzyqwertyuiop" is not a system call',
          origin: { kind: "policy", policy: "mine", key: "syscalls.allow[0]", file: "mine.toml", line: 4, column: 9 },
          hint: "names are those of Linux on x86_64 and aarch64",
        },
        {
          code: "invalid_policy",
          message: '"umount" is not a system call',
          origin: { kind: "policy", policy: "mine", key: "syscalls.allow[1]", file: "mine.toml", line: 4, column: 9 },
          hint: 'did you mean "umount2"?',
        },
      ],
    });
  });

  test("a name of the other architecture is fine: the same policy serves both", () => {
    const arm = filterOf(defaultProfile, { arch: "aarch64", deny: ["open", "fork"] });
    expect(arm).toEqual(filterOf(defaultProfile, { arch: "aarch64" }));
  });

  test("both lists at once is a contradiction", () => {
    expect(refusals(defaultProfile, { deny: ["bpf", "mount"], allow: ["mount"] })).toEqual([
      '"mount" is allowed here and denied by syscalls.deny[1]',
    ]);
  });

  test("without what starts a task there is no filter", () => {
    expect(refusals(defaultProfile, { deny: ["execve"] })).toEqual(["without execve no task could start"]);
    expect(refusals({ defaultAction: errno(1), rules: [], architectures: null })).toHaveLength(3);
  });
});

describe("denials", () => {
  const profile = profileOf([
    rule("mount", errno(1)),
    rule("umount2", { kind: "notify" }),
    rule("clone3", errno(38)),
    rule("reboot", { kind: "kill_process" }),
    rule("swapon", { kind: "trap" }),
    rule("read", { kind: "log" }),
    rule("acct", { kind: "kill_thread" }),
  ]);
  const names = ["mount", "umount2", "clone3", "reboot", "swapon", "read", "acct", "bpf"];

  test("as errno: no listener is asked", () => {
    const filter = filterOf(profile);
    expect(names.map((name) => ask(filter, name))).toEqual([
      EPERM,
      EPERM,
      ENOSYS,
      0x8000_0000,
      0x0003_0000,
      0x7ffc_0000,
      0,
      EPERM,
    ]);
  });

  test("as notify: EPERM becomes an event, quiet answers stay quiet", () => {
    const filter = filterOf(profile, { deniedAction: "notify", deny: ["getpid"] });
    expect(names.map((name) => ask(filter, name))).toEqual([
      NOTIFY,
      NOTIFY,
      ENOSYS,
      0x8000_0000,
      0x0003_0000,
      0x7ffc_0000,
      0,
      NOTIFY,
    ]);
    expect(ask(filter, "getpid")).toBe(NOTIFY);
    expect(ask(filter, "sethostname")).toBe(NOTIFY);
  });

  test("calls newer than the profile don't exist, so that programs fall back", () => {
    const old = profileOf([rule("statx")]);
    const filter = filterOf(old);
    expect(["getpid", "statx", "rseq", "clone3", "fchmodat2"].map((name) => ask(filter, name))).toEqual([
      EPERM,
      ALLOW,
      ENOSYS,
      ENOSYS,
      ENOSYS,
    ]);
    const gap = runFilter(filter, { number: 334 - 1, arch: auditArch.x86_64 }).verdict;
    expect(gap).toBe(ENOSYS);
  });

  test("a profile that allows by default allows what is new too", () => {
    const filter = filterOf(profileOf([rule("mount", errno(1))], allow));
    const answer = (number: number): number => runFilter(filter, { number, arch: auditArch.x86_64 }).verdict;
    expect([400, 469, 600, 0x3fff_ffff].map(answer)).toEqual([ALLOW, ALLOW, ALLOW, ALLOW]);
    expect(ask(filter, "mount")).toBe(EPERM);
  });
});

describe("what a rule depends on", () => {
  const guarded = (scope: Pick<SeccompRule, "includes" | "excludes">): SeccompRule => ({ ...rule("chroot"), ...scope });

  test("all included capabilities are needed, one excluded is enough", () => {
    const includes = { includes: { caps: ["CAP_SYS_CHROOT", "CAP_SYS_ADMIN"] } };
    const excludes = { excludes: { caps: ["CAP_SYS_CHROOT", "CAP_SYS_ADMIN"] } };
    const answer = (scope: Pick<SeccompRule, "includes" | "excludes">, capabilities: string[]): number =>
      ask(filterOf(profileOf([guarded(scope), rule("rseq")]), { capabilities }), "chroot");
    expect(answer(includes, ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT"])).toBe(ALLOW);
    expect(answer(includes, ["CAP_SYS_ADMIN"])).toBe(EPERM);
    expect(answer(excludes, ["CAP_SYS_ADMIN"])).toBe(EPERM);
    expect(answer(excludes, ["CAP_CHOWN"])).toBe(ALLOW);
  });

  test("architectures by Go's names", () => {
    const profile = profileOf([guarded({ includes: { arches: ["arm64", "arm"] } }), rule("rseq")]);
    expect(ask(filterOf(profile), "chroot")).toBe(EPERM);
    const arm = filterOf(profile, { arch: "aarch64" });
    const number = syscallTable("aarch64").numbers.get("chroot") ?? -1;
    expect(runFilter(arm, { number, arch: auditArch.aarch64 }).verdict).toBe(ALLOW);
    const other = profileOf([guarded({ excludes: { arches: ["amd64"] } }), rule("rseq")]);
    expect(ask(filterOf(other), "chroot")).toBe(EPERM);
  });

  test("kernel versions are compared as numbers", () => {
    const profile = profileOf([guarded({ includes: { minKernel: "5.9" } }), rule("rseq")]);
    const answer = (kernel: string | undefined): number => ask(filterOf(profile, { kernel }), "chroot");
    expect(["4.19.0", "5.8.18-generic", "5.9", "5.10.0-9-amd64", "6.1", undefined].map(answer)).toEqual([
      EPERM,
      EPERM,
      ALLOW,
      ALLOW,
      ALLOW,
      ALLOW,
    ]);
    const until = profileOf([guarded({ excludes: { minKernel: "5.9" } }), rule("rseq")]);
    expect(ask(filterOf(until, { kernel: "5.8.1" }), "chroot")).toBe(ALLOW);
    expect(ask(filterOf(until, { kernel: "5.9.1" }), "chroot")).toBe(EPERM);
  });

  test("a profile for other architectures only is refused", () => {
    const profile = { ...profileOf([]), architectures: ["aarch64"] as const };
    expect(refusals(profile)).toEqual(["the seccomp profile says nothing about x86_64"]);
    expect(filterOf(profile, { arch: "aarch64" }).length).toBeGreaterThan(0);
  });
});

describe("names in a profile that nobody knows", () => {
  const place = { file: "p.json", pointer: "/syscalls/3", line: 12 };

  test("stay denied, with a warning, where they would have been allowed", () => {
    const outcome = compile(profileOf([{ ...rule("read mega_read"), place }]));
    expect(outcome.ok && outcome.warnings).toEqual([
      {
        code: "invalid_policy",
        message: '"mega_read" is not a system call: it stays denied',
        origin: { kind: "policy", policy: "", key: "/syscalls/3", file: "p.json", line: 12, column: 1 },
        hint: "names are those of Linux on x86_64 and aarch64",
      },
    ]);
  });

  test("are refused where passing over them would allow a call", () => {
    expect(refusals(profileOf([rule("monut", errno(1))], allow))).toEqual(['"monut" is not a system call']);
  });

  test("of other architectures are passed over", () => {
    const outcome = compile(profileOf([rule("chown32 socketcall s390_runtime_instr waitpid arm_fadvise64_64")]));
    expect(outcome.ok && outcome.warnings).toEqual([]);
  });
});
