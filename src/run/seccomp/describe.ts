import { capabilityCalls } from "./capability-calls.gen.ts";
import type { ArgCondition } from "./profile.ts";

/** What a denied system call was about, in the kernel's words: its deciding arguments, the rule, and the key that would allow it. */
export interface CallDescription {
  readonly object: string | null;
  readonly why: string;
  readonly policyKey: string;
}

/** What decided about a zone's calls: the parts of its policy that can deny one. */
export interface CallRules {
  /** `default`, or the profile's file. */
  readonly profile: string;
  readonly deny: readonly string[];
}

const families: Readonly<Record<number, string>> = {
  0: "AF_UNSPEC",
  1: "AF_UNIX",
  2: "AF_INET",
  10: "AF_INET6",
  15: "AF_KEY",
  16: "AF_NETLINK",
  17: "AF_PACKET",
  29: "AF_CAN",
  31: "AF_BLUETOOTH",
  38: "AF_ALG",
  40: "AF_VSOCK",
  44: "AF_XDP",
};

const socketTypes: Readonly<Record<number, string>> = {
  1: "SOCK_STREAM",
  2: "SOCK_DGRAM",
  3: "SOCK_RAW",
  5: "SOCK_SEQPACKET",
  10: "SOCK_PACKET",
};

const cloneFlags: readonly (readonly [number, string])[] = [
  [0x00020000, "CLONE_NEWNS"],
  [0x02000000, "CLONE_NEWCGROUP"],
  [0x04000000, "CLONE_NEWUTS"],
  [0x08000000, "CLONE_NEWIPC"],
  [0x10000000, "CLONE_NEWUSER"],
  [0x20000000, "CLONE_NEWPID"],
  [0x40000000, "CLONE_NEWNET"],
  [0x00000080, "CLONE_NEWTIME"],
];

const ioctls: Readonly<Record<number, string>> = {
  21522: "TIOCSTI",
  21532: "TIOCLINUX",
  21533: "TIOCCONS",
  21539: "TIOCSETD",
};

/** Describes a denied call from its name and its raw arguments (six u64, little endian). */
export function describeCall(name: string, args: Uint8Array, rules: CallRules): CallDescription {
  const object = objectOf(name, args);
  if (rules.deny.includes(name)) {
    return { object, why: `syscalls.deny of the policy names ${name}`, policyKey: `syscalls.deny without "${name}"` };
  }
  const allow = `syscalls.allow = ["${name}"]`;
  if (rules.profile !== "default") {
    return { object, why: `the seccomp profile ${rules.profile} does not allow ${name}`, policyKey: allow };
  }
  const capability = makesUserNamespace(name, object) ? undefined : openingCapability(name, args);
  const why = `the default seccomp profile denies ${name}${looksAtArguments(name) ? " with these arguments" : ""}`;
  if (capability === undefined) return { object, why, policyKey: allow };
  return { object, why: `${why} without ${capability}`, policyKey: `capabilities.allowed = ["${capability}"]` };
}

/** That takes no capability, so the call's own name opens less. */
function makesUserNamespace(name: string, object: string | null): boolean {
  return (name === "unshare" || name === "clone") && (object ?? "").includes("CLONE_NEWUSER");
}

/** The capability with which the default profile lets this very call pass. */
function openingCapability(name: string, args: Uint8Array): string | undefined {
  return capabilityCalls().find((entry) => {
    return entry.names.includes(name) && entry.conditions.every((condition) => holds(condition, args));
  })?.capability;
}

function holds(condition: ArgCondition, args: Uint8Array): boolean {
  if (args.length < 48) return false;
  const argument = new DataView(args.buffer, args.byteOffset).getBigUint64(condition.index * 8, true);
  if (condition.op === "masked_eq") return (argument & condition.mask) === condition.value;
  return condition.op === "eq" && argument === condition.value;
}

/** Calls that the profile allows with other arguments. */
function looksAtArguments(name: string): boolean {
  return (
    ["chmod", "clone", "creat", "fchmod", "fchmodat", "fchmodat2", "ioctl", "mknod", "mknodat"].includes(name) ||
    ["personality", "seccomp", "socket", "socketpair"].includes(name)
  );
}

function objectOf(name: string, args: Uint8Array): string | null {
  if (args.length < 48) return null;
  const view = new DataView(args.buffer, args.byteOffset, args.byteLength);
  // The kernel takes these arguments as int: the upper half is ignored.
  const argument = (index: number) => view.getUint32(index * 8, true);
  switch (name) {
    case "socket":
    case "socketpair": {
      const family = families[argument(0)] ?? `AF_${argument(0)}`;
      const type = socketTypes[argument(1) & 0xf] ?? `type ${argument(1) & 0xf}`;
      return `${family} ${type}${argument(2) === 0 ? "" : ` protocol ${argument(2)}`}`;
    }
    case "unshare":
    case "clone":
      return flagNames(argument(0));
    case "setns":
      return flagNames(argument(1)) ?? `fd ${argument(0)}`;
    case "ioctl":
      return ioctls[argument(1)] ?? `0x${argument(1).toString(16)}`;
    case "ptrace":
      return `request ${argument(0)} of pid ${argument(1)}`;
    case "process_vm_readv":
    case "process_vm_writev":
      return `pid ${argument(0)}`;
    case "personality":
      return `0x${argument(0).toString(16)}`;
    default:
      return null;
  }
}

function flagNames(flags: number): string | null {
  const names = cloneFlags.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? null : names.join("|");
}
