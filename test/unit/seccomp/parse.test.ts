import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { renderOrigin } from "../../../src/run/diagnostic.ts";
import { defaultProfile } from "../../../src/run/seccomp/default-profile.gen.ts";
import { parseSeccompProfile } from "../../../src/run/seccomp/parse.ts";
import type { SeccompProfile, SeccompRule } from "../../../src/run/seccomp/profile.ts";
import { filterOf } from "./profiles.ts";

function parsed(text: string): SeccompProfile {
  const outcome = parseSeccompProfile(text, "p.json");
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics));
  return outcome.profile;
}

/** All that is wrong, each as `file:line:column pointer: message (hint)`. */
function mistakes(text: string): string[] {
  const outcome = parseSeccompProfile(text, "p.json");
  if (outcome.ok) throw new Error("the profile was accepted");
  return outcome.diagnostics.map(({ message, origin, hint }) => {
    const place = origin ? renderOrigin(origin) : "";
    return `${place}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

const withRule = (rule: string): string => `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [\n${rule}\n]}`;

describe("the containers' profile format", () => {
  test("the shipped default is what the generated one says", () => {
    const profile = parsed(readFileSync("policies/seccomp/default.json", "utf8"));
    expect(filterOf(profile)).toEqual(filterOf(defaultProfile));
    expect(filterOf(profile, { arch: "aarch64" })).toEqual(filterOf(defaultProfile, { arch: "aarch64" }));
    const rules = profile.rules.map(({ place: _, ...rule }): SeccompRule => rule);
    expect<SeccompProfile>({ ...profile, rules }).toEqual(defaultProfile);
  });

  test("everything that the format has", () => {
    const text = `{
      "comment": "all of it",
      "defaultAction": "SCMP_ACT_ERRNO",
      "defaultErrnoRet": 38,
      "defaultErrno": "ENOSYS",
      "archMap": [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
        {"architecture": "SCMP_ARCH_S390X", "subArchitectures": null}
      ],
      "syscalls": [
        {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "args": [], "comment": "", "includes": {}, "excludes": {}},
        {"name": "mount", "action": "SCMP_ACT_ERRNO", "errno": "EPERM", "args": null},
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
         "excludes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["s390", "s390x"]}},
        {"names": ["ptrace"], "action": "SCMP_ACT_KILL", "includes": {"minKernel": "4.8", "caps": null}},
        {"names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 25,
         "args": [{"index": 1, "value": 18446744073709551615, "op": "SCMP_CMP_GE"}]}
      ]
    }`;
    expect(parsed(text)).toEqual({
      defaultAction: { kind: "errno", errno: 38 },
      architectures: ["x86_64"],
      rules: [
        {
          names: ["read", "write"],
          action: { kind: "allow" },
          conditions: [],
          includes: {},
          excludes: {},
          place: { file: "p.json", pointer: "/syscalls/0", line: 11 },
        },
        {
          names: ["mount"],
          action: { kind: "errno", errno: 1 },
          conditions: [],
          place: { file: "p.json", pointer: "/syscalls/1", line: 12 },
        },
        {
          names: ["clone"],
          action: { kind: "allow" },
          conditions: [{ index: 0, op: "masked_eq", mask: 0x7e02_0000n, value: 0n }],
          excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390", "s390x"] },
          place: { file: "p.json", pointer: "/syscalls/2", line: 13 },
        },
        {
          names: ["ptrace"],
          action: { kind: "kill_thread" },
          conditions: [],
          includes: { minKernel: "4.8" },
          place: { file: "p.json", pointer: "/syscalls/3", line: 16 },
        },
        {
          names: ["ioctl"],
          action: { kind: "errno", errno: 25 },
          conditions: [{ index: 1, op: "ge", value: 0xffff_ffff_ffff_ffffn }],
          place: { file: "p.json", pointer: "/syscalls/4", line: 17 },
        },
      ],
    });
  });

  test("the smallest one; an errno that is not said is EPERM", () => {
    expect(parsed('{"defaultAction": "SCMP_ACT_ERRNO"}')).toEqual({
      defaultAction: { kind: "errno", errno: 1 },
      rules: [],
      architectures: null,
    });
    expect(parsed('{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_AARCH64"]}').architectures).toEqual(
      ["aarch64"],
    );
  });
});

describe("what is refused, with line, pointer and a way out", () => {
  test("all mistakes at once", () => {
    const text = `{
      "defaultAction": "SCMP_ACT_DENY",
      "defaultErrnoRet": 5000,
      "sycalls": [],
      "architectures": ["SCMP_ARCH_AMD64"],
      "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ALOW"},
        {"names": "read", "action": "SCMP_ACT_ALLOW"},
        {"names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMINN"], "arch": ["amd64"]}},
        {"action": "SCMP_ACT_ALLOW",
         "args": [{"index": 6, "value": -1, "op": "=="}]},
        7
      ]
    }`;
    expect(mistakes(text)).toEqual([
      'p.json:2:1 /defaultAction: an action such as SCMP_ACT_ALLOW is expected, not "SCMP_ACT_DENY" (did you mean "SCMP_ACT_LOG"?)',
      "p.json:3:1 /defaultErrnoRet: an errno from 0 to 4095 is expected, not 5000",
      'p.json:4:1 /sycalls: unknown key "sycalls" (did you mean "syscalls"?)',
      'p.json:5:1 /architectures/0: an architecture such as SCMP_ARCH_X86_64 is expected, not "SCMP_ARCH_AMD64" (did you mean "SCMP_ARCH_PPC64"?)',
      'p.json:7:1 /syscalls/0/action: an action such as SCMP_ACT_ALLOW is expected, not "SCMP_ACT_ALOW" (did you mean "SCMP_ACT_ALLOW"?)',
      'p.json:8:1 /syscalls/1/names: a list is expected, not "read"',
      'p.json:9:1 /syscalls/2/includes/caps/0: a capability such as CAP_SYS_ADMIN is expected, not "CAP_SYS_ADMINN" (did you mean "CAP_SYS_ADMIN"?)',
      'p.json:9:1 /syscalls/2/includes/arch: unknown key "arch" (did you mean "arches"?)',
      "p.json:11:1 /syscalls/3/args/0/index: an argument's index from 0 to 5 is expected, not 6",
      "p.json:11:1 /syscalls/3/args/0/value: an integer from 0 to 2^64 - 1 is expected, not -1",
      'p.json:11:1 /syscalls/3/args/0/op: a comparison such as SCMP_CMP_EQ is expected, not "=="',
      "p.json:12:1 /syscalls/4: an object with names and action is expected, not 7",
    ]);
  });

  test.each([
    ["", "p.json:1:1: not JSON: a value is expected, not the end of the file"],
    ["[]", "p.json:1:1: an object with defaultAction and syscalls is expected, not a list"],
    ["{}", "p.json:1:1 /defaultAction: missing: an action such as SCMP_ACT_ALLOW is expected"],
    [`"${"x".repeat(300_000)}"`, "p.json:1:1: the profile is longer than 256 KiB"],
  ])("%.20s", (text, message) => {
    expect(mistakes(text)).toEqual([message]);
  });

  test.each([
    [
      '{"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 1, "op": "SCMP_CMP_GE"},\n{"index": 1, "value": 9, "op": "SCMP_CMP_LE"}]}',
      "p.json:3:1 /syscalls/0/args/1: a second condition on argument 1: runtimes differ on what it means (make it two rules for either, one masked condition for both)",
    ],
    [
      '{"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 7, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}',
      "p.json:2:1 /syscalls/0/args/0: valueTwo has bits outside the mask in value: this can never hold",
    ],
    [
      '{"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 7, "valueTwo": 8, "op": "SCMP_CMP_EQ"}]}',
      "p.json:2:1 /syscalls/0/args/0: valueTwo means nothing with SCMP_CMP_EQ (SCMP_CMP_MASKED_EQ takes two values)",
    ],
    [
      '{"names": [], "action": "SCMP_ACT_ALLOW"}',
      "p.json:2:1 /syscalls/0: the rule names no system call (names is a list of system calls)",
    ],
    [
      '{"names": ["read"], "action": "SCMP_ACT_ALLOW", "errnoRet": 5}',
      "p.json:2:1 /syscalls/0/errnoRet: SCMP_ACT_ALLOW has no errno: only SCMP_ACT_ERRNO returns one",
    ],
    [
      '{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "errno": "EPERM"}',
      "p.json:2:1 /syscalls/0/errnoRet: the errno is said twice and differently: 5 and EPERM",
    ],
    [
      '{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errno": "ENOPE"}',
      'p.json:2:1 /syscalls/0/errnoRet: "ENOPE" is not an errno known here (give its number as errnoRet)',
    ],
    [
      '{"names": ["read"], "action": "SCMP_ACT_TRACE"}',
      'p.json:2:1 /syscalls/0/action: an action such as SCMP_ACT_ALLOW is expected, not "SCMP_ACT_TRACE" (did you mean "SCMP_ACT_TRAP"?)',
    ],
    [
      '{"names": ["read"], "action": "SCMP_ACT_ALLOW", "action": "SCMP_ACT_KILL"}',
      'p.json:2:49: not JSON: the key "action" is there twice',
    ],
    [
      '{"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 18446744073709551616, "op": "SCMP_CMP_EQ"}]}',
      "p.json:2:1 /syscalls/0/args/0/value: an integer from 0 to 2^64 - 1 is expected, not 18446744073709551616",
    ],
  ])("%.110s", (rule, message) => {
    expect(mistakes(withRule(rule))).toEqual([message]);
  });

  test("both ways to name architectures", () => {
    const text =
      '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]}';
    expect(mistakes(text)).toEqual([
      "p.json:1:1 /architectures: both architectures and archMap are there: one of the two is enough",
    ]);
  });

  test("at most fifty at once", () => {
    expect(mistakes(withRule(Array(80).fill("7").join(",")))).toHaveLength(50);
  });
});
