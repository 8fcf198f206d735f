import { capabilityNames } from "../capabilities.ts";
import { z } from "../zod.ts";

/** The containers' seccomp JSON format. Each `error` says what is expected in that place. */

export const actionNames = {
  SCMP_ACT_ALLOW: "allow",
  SCMP_ACT_LOG: "log",
  SCMP_ACT_ERRNO: "errno",
  SCMP_ACT_NOTIFY: "notify",
  SCMP_ACT_TRAP: "trap",
  SCMP_ACT_KILL: "kill_thread",
  SCMP_ACT_KILL_THREAD: "kill_thread",
  SCMP_ACT_KILL_PROCESS: "kill_process",
} as const;

export const operatorNames = {
  SCMP_CMP_EQ: "eq",
  SCMP_CMP_NE: "ne",
  SCMP_CMP_LT: "lt",
  SCMP_CMP_LE: "le",
  SCMP_CMP_GT: "gt",
  SCMP_CMP_GE: "ge",
  SCMP_CMP_MASKED_EQ: "masked_eq",
} as const;

const scmpArchitectures = (
  "X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 " +
  "PPC PPC64 PPC64LE S390 S390X PARISC PARISC64 RISCV64 LOONGARCH64 M68K SH SHEB"
)
  .split(" ")
  .map((name) => `SCMP_ARCH_${name}`);

const goArchitectures = (
  "386 amd64 amd64p32 arm arm64 loong64 mips mipsle mips64 mips64le mips64n32 mipsel mipsel64 mipsel64n32 " +
  "ppc ppc64 ppc64le riscv64 s390 s390x x32 x86"
).split(" ");

const ACTION = "an action such as SCMP_ACT_ALLOW";
const ARCHITECTURE = "an architecture such as SCMP_ARCH_X86_64";

const text = z.string({ error: "a string" });
const errno = z.optional(
  z.nullable(z.int({ error: "an errno from 0 to 4095" }).check(z.gte(0, errnoRange()), z.lte(4095, errnoRange()))),
);
const action = z.enum(Object.keys(actionNames) as (keyof typeof actionNames)[], { error: ACTION });
const architecture = z.enum(scmpArchitectures, { error: ARCHITECTURE });

/** Exact up to 2^64 - 1: `readJsonText` gives integers past 2^53 as bigint. */
const word = z.custom<number | bigint>(
  (value) =>
    typeof value === "bigint" ? value >= 0n && value < 1n << 64n : Number.isSafeInteger(value) && Number(value) >= 0,
  { error: "an integer from 0 to 2^64 - 1" },
);

const condition = z.strictObject(
  {
    index: z
      .int({ error: "an argument's index from 0 to 5" })
      .check(
        z.gte(0, { error: "an argument's index from 0 to 5" }),
        z.lte(5, { error: "an argument's index from 0 to 5" }),
      ),
    value: word,
    valueTwo: z.optional(z.nullable(word)),
    op: z.enum(Object.keys(operatorNames) as (keyof typeof operatorNames)[], {
      error: "a comparison such as SCMP_CMP_EQ",
    }),
  },
  { error: "an object with index, value and op" },
);

const scope = z.strictObject(
  {
    caps: optionalList(z.enum(capabilityNames, { error: "a capability such as CAP_SYS_ADMIN" })),
    arches: optionalList(z.enum(goArchitectures, { error: "an architecture such as amd64 or arm64" })),
    minKernel: z.optional(
      z.nullable(text.check(z.regex(/^\d{1,4}\.\d{1,4}$/, { error: "a kernel version such as 4.8" }))),
    ),
  },
  { error: "an object with caps, arches or minKernel" },
);

const rule = z.strictObject(
  {
    name: z.optional(text),
    names: optionalList(text),
    action,
    errnoRet: errno,
    errno: z.optional(text),
    args: optionalList(condition),
    comment: z.optional(text),
    includes: z.optional(z.nullable(scope)),
    excludes: z.optional(z.nullable(scope)),
  },
  { error: "an object with names and action" },
);

export const profileForm = z.strictObject(
  {
    comment: z.optional(text),
    defaultAction: action,
    defaultErrnoRet: errno,
    defaultErrno: z.optional(text),
    architectures: optionalList(architecture),
    archMap: optionalList(
      z.strictObject(
        { architecture, subArchitectures: optionalList(architecture) },
        { error: "an object with architecture and subArchitectures" },
      ),
    ),
    syscalls: optionalList(rule),
  },
  { error: "an object with defaultAction and syscalls" },
);

export type ProfileForm = z.infer<typeof profileForm>;
export type RuleForm = z.infer<typeof rule>;
export type ConditionForm = z.infer<typeof condition>;
export type ScopeForm = z.infer<typeof scope>;

/** The keys of an object of the format, by the key that it, or the list it is in, stands under; `""` for the whole. */
export const keysUnder: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(profileForm.shape),
  archMap: ["architecture", "subArchitectures"],
  syscalls: Object.keys(rule.shape),
  args: Object.keys(condition.shape),
  includes: Object.keys(scope.shape),
  excludes: Object.keys(scope.shape),
};

function optionalList<T extends z.core.SomeType>(element: T) {
  return z.optional(z.nullable(z.array(element, { error: "a list" })));
}

function errnoRange() {
  return { error: "an errno from 0 to 4095" };
}
