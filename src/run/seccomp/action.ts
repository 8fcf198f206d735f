import { DENIED, verdict } from "./bpf.ts";
import type { SeccompAction } from "./profile.ts";

/** Whether a denied call (EPERM) is answered by the kernel, or by the listener, which writes an event and answers EPERM. */
export type DeniedAction = "errno" | "notify";

/** What the filter returns for an action. */
export function verdictOf(action: SeccompAction, denied: DeniedAction): number {
  switch (action.kind) {
    case "allow":
      return verdict.allow;
    case "log":
      return verdict.log;
    case "trap":
      return verdict.trap;
    case "kill_thread":
      return verdict.killThread;
    case "kill_process":
      return verdict.killProcess;
    case "notify":
      return deniedVerdict(denied);
    case "errno":
      return action.errno === 1 ? deniedVerdict(denied) : verdict.errno | action.errno;
  }
}

/** Without a listener the kernel would answer a notification with ENOSYS: so it is asked for only where there is one. */
export function deniedVerdict(denied: DeniedAction): number {
  return denied === "notify" ? verdict.notify : DENIED;
}

/** Whether the call takes place. */
export function letsPass(action: SeccompAction): boolean {
  return action.kind === "allow" || action.kind === "log";
}
