import { policyOrigin } from "../../policy/policy.ts";
import { pathArguments } from "../../seccomp/arguments.ts";
import { seccompFlag } from "../contract.ts";
import { addOp, keep, type PlanDraft, refuse, unavailable, zoneOrigin } from "../draft.ts";

/** The system call filter, compiled for this policy; the last lock before the command. */
export function planSeccomp(draft: PlanDraft): void {
  const { facts, filter, policy } = draft;
  const origin = policyOrigin(policy, "syscalls.profile");
  if (!facts.seccomp.ok) {
    const hint = "boot a kernel with CONFIG_SECCOMP_FILTER; `rauha doctor` says what is missing";
    refuse(draft, "unenforceable", `no system call filter can be set: ${facts.seccomp.reason}`, origin, hint);
    return;
  }
  draft.warnings.push(...filter.warnings);
  const flags = filter.listen ? seccompFlag.listen : 0;
  const paths = filter.listen ? pathArguments(facts.arch) : new Uint8Array(0);
  const listening = filter.listen ? "denials are events" : "denials are silent";
  const op = { op: "seccomp", flags, filter: filter.filter, paths } as const;
  const index = addOp(draft, op, origin, `system call filter ${filter.profile}, ${listening}`);
  if (filter.watched !== undefined) {
    addOp(draft, { op: "watch", calls: filter.watched }, zoneOrigin("learning"), "what the task uses is reported");
  }
  keep(draft, "syscall_filter", "seccomp", [index], ` ${filter.profile}`);
  // Honest about what is missing: the mounts tell nobody, and Landlock only the privileged, by the audit log.
  if (filter.listen)
    keep(draft, "denial_events", "listener", [index], "; denied files show as errors to the task alone");
  else unavailable(draft, "denial_events", "the filter denies sendmsg, by which its listener is handed over");
}
