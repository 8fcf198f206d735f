import type { LsmDenied } from "../run/backend-event.ts";
import { capabilityNames } from "../run/capabilities.ts";
import type { Hook, Reason } from "./contract.ts";
import type { Denial } from "./denial.ts";

/** What the kernel answered: file hooks EACCES, the others EPERM. */
const fileHooks: readonly Hook[] = [
  "file_open",
  "bprm_check_security",
  "cgroup_lock",
  "mmap_file",
  "file_receive",
  "path_change",
];

/** What is tried at a hook, as a verb of its object. */
const actions: Readonly<Record<Hook, string>> = {
  file_open: "open",
  bprm_check_security: "execute",
  ptrace_access_check: "trace",
  ptrace_traceme: "be traced by its parent",
  task_kill: "send",
  cgroup_lock: "write to a cgroup",
  socket_connect: "connect",
  socket_bind: "bind",
  socket_sendmsg: "send",
  unix_stream_connect: "connect",
  unix_may_send: "send",
  capable: "use a capability",
  mmap_file: "map",
  file_receive: "receive",
  userns_create: "make a user namespace",
  bpf: "use bpf(2)",
  sb_mount: "mount",
  move_mount: "move a mount",
  sb_umount: "unmount",
  sb_remount: "remount",
  sb_pivotroot: "change the root",
  kernel_read_file: "have the kernel read a file",
  kernel_load_data: "give the kernel code",
  kernel_module_request: "have a kernel module loaded",
  perf_event_open: "profile",
  task_setscheduler: "set the scheduling",
  task_setnice: "set the priority",
  task_prlimit: "set the limits",
  path_change: "change a directory",
};

interface Why {
  readonly why: string;
  readonly policyKey: string | undefined;
}

const whys: Readonly<Record<Reason, Why>> = {
  none: { why: "", policyKey: undefined },
  outside_mount_tree: {
    why: "it was reached through a mount that is not in the zone's own tree",
    policyKey: "filesystem.readable_paths",
  },
  other_zone_file: { why: "it belongs to another zone", policyKey: "network.allowed_zones" },
  other_zone: { why: "it belongs to another zone", policyKey: "network.allowed_zones" },
  host: { why: "it belongs to the host, outside of every zone", policyKey: undefined },
  cgroup: {
    why: "the zone may change nothing of the cgroup tree but what is below its own cgroup",
    policyKey: undefined,
  },
  capability: { why: "the policy's capabilities leave it out", policyKey: "capabilities.allowed" },
  egress: { why: "no rule of the policy lists the address", policyKey: "network.allowed_egress" },
  ingress: { why: "no rule of the policy lists the address", policyKey: "network.allowed_ingress" },
  policy: { why: "the policy forbids it", policyKey: "syscalls.allow" },
  never: { why: "no zone may do that", policyKey: undefined },
  lookup_failed: { why: "the zone's entries in the BPF maps could not be read, or were full", policyKey: undefined },
};

/** What a denial means to people: what was tried, on what, why not, and which policy key would allow it. */
export function describeDenial(denial: Denial): Omit<LsmDenied, "record" | "targetZone"> {
  const { hook, reason, pid, comm } = denial;
  const action = actions[hook];
  const object = objectOf(denial);
  const { why, policyKey } = whys[reason];
  const errno = fileHooks.includes(hook) ? "EACCES" : "EPERM";
  return {
    hook,
    action,
    decision: reason === "lookup_failed" ? "error" : "deny",
    message: `${action}${object === null ? "" : ` ${object}`} denied: ${errno}`,
    pid,
    comm,
    object,
    why,
    policyKey: policyKeyOf(denial, policyKey),
  };
}

function objectOf({ hook, object, number }: Denial): string | null {
  if (object !== null) return object === "" ? null : object;
  if (number === null) return null;
  if (hook === "capable") return capabilityNames[number] ?? `capability ${number}`;
  return hook === "task_kill" ? `signal ${number}` : null;
}

/** Sockets of the host can be allowed by path; tracing is forbidden by a list, not by the lack of an entry. */
function policyKeyOf({ hook, reason }: Denial, key: string | undefined): string | undefined {
  if (reason === "host" && hook.startsWith("unix_")) return "filesystem.allowed_sockets";
  return reason === "policy" && hook.startsWith("ptrace") ? "syscalls.deny" : key;
}
