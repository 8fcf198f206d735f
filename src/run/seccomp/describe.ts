/** What a denied system call was about, in the kernel's words: its deciding arguments, the rule, and the key that would allow it. */
export interface CallDescription {
  readonly object: string | null;
  readonly why: string;
  readonly policyKey: string;
}

/** Capabilities whose grant makes the default profile allow a call, by name of the call. */
const byCapability: Readonly<Record<string, string>> = {
  acct: "CAP_SYS_PACCT",
  bpf: "CAP_BPF",
  chroot: "CAP_SYS_CHROOT",
  clock_settime: "CAP_SYS_TIME",
  mknod: "CAP_MKNOD",
  mknodat: "CAP_MKNOD",
  open_by_handle_at: "CAP_DAC_READ_SEARCH",
  perf_event_open: "CAP_PERFMON",
  reboot: "CAP_SYS_BOOT",
  settimeofday: "CAP_SYS_TIME",
  syslog: "CAP_SYSLOG",
  vhangup: "CAP_SYS_TTY_CONFIG",
};

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

const ioctls: Readonly<Record<number, string>> = { 21522: "TIOCSTI", 21532: "TIOCLINUX" };

/** Describes a denied call from its name and its raw arguments (six u64, little endian). */
export function describeCall(name: string, args: Uint8Array): CallDescription {
  const capability = byCapability[name];
  return {
    object: objectOf(name, args),
    why: `the system call filter denies ${name} in zones`,
    policyKey: capability === undefined ? `syscalls.allow = ["${name}"]` : `capabilities.allowed = ["${capability}"]`,
  };
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
