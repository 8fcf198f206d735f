import { capabilityMask } from "../../capabilities.ts";
import { deniedForView } from "../../seccomp/view-calls.ts";
import { verifyCheck } from "../contract.ts";
import { addOp, keep, type PlanDraft, zoneOrigin } from "../draft.ts";

/** Each act in the words of the result. */
const acts: Readonly<Record<keyof typeof verifyCheck, string>> = {
  newUserNamespace: "new user namespace",
  mount: "change of a mount",
  writeProcSys: "write to /proc/sys",
  ptraceInit: "ptrace of pid 1",
  regainCapabilities: "more capabilities",
  landlock: "read of a file outside the Landlock rules",
};

/**
 * Forbidden acts that the locked-down task tries before it becomes the command; the zone is refused if one works. What the
 * policy grants is not forbidden, so it is not tried.
 */
export function planSelfTest(draft: PlanDraft): void {
  const { policy, facts } = draft;
  const granted = capabilityMask(policy.capabilities.allowed);
  const has = (name: string) => granted !== 0n && (granted & capabilityMask([name])) !== 0n;
  const allowed = (...calls: string[]) => calls.some((call) => policy.syscalls.allow.includes(call));
  const ownProfile = policy.syscalls.profile !== "default";
  let checks = verifyCheck.regainCapabilities | verifyCheck.ptraceInit;
  if (deniedForView(policy).includes("mount_setattr")) checks |= verifyCheck.mount;
  if (!has("CAP_SYS_ADMIN")) {
    checks |= verifyCheck.mount;
    if (!allowed("unshare", "clone", "clone3") && !ownProfile) checks |= verifyCheck.newUserNamespace;
  }
  if (draft.ownUserNamespace || granted === 0n) checks |= verifyCheck.writeProcSys;
  if (!draft.ownUserNamespace && has("CAP_SYS_PTRACE")) checks &= ~verifyCheck.ptraceInit;
  if (facts.landlockAbi > 0) checks |= verifyCheck.landlock;
  const tried = Object.entries(verifyCheck).filter(([, bit]) => (checks & bit) !== 0);
  const words = tried.map(([name]) => acts[name as keyof typeof verifyCheck]).join(", ");
  const op = addOp(draft, { op: "verify", checks }, zoneOrigin("self-test"), `must fail: ${words}`);
  keep(draft, "self_test", "launcher", [op], `: ${words}`);
}
