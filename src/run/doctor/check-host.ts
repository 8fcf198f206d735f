import { checkBpfLsm } from "./bpf-lsm.ts";
import { checkCgroups } from "./cgroup.ts";
import { checkLandlock, checkSeccomp } from "./filters.ts";
import type { Finding, HostInputs } from "./finding.ts";
import { checkKernel, checkLauncherMemory, checkUserNamespaces } from "./namespaces.ts";
import { checkSubordinateIds } from "./subordinate-ids.ts";
import { checkZoneRecords } from "./zone-records.ts";

/** What this host can enforce, what is missing, and what to do about it. */
export function checkHost(inputs: HostInputs): Finding[] {
  return [
    checkKernel(inputs),
    checkUserNamespaces(inputs),
    checkSeccomp(inputs),
    checkLandlock(inputs),
    checkBpfLsm(inputs),
    ...checkCgroups(inputs),
    checkLauncherMemory(inputs),
    ...checkSubordinateIds(inputs),
    ...checkZoneRecords(inputs),
    checkTrial(inputs),
  ];
}

function checkTrial({ trial, settings }: HostInputs): Finding {
  if (trial.ok) {
    const summary = `\`true\` ran in a zone with the policy task; ${trial.enforced} guarantees were enforced`;
    return { check: "trial", state: "enforced", needed: true, summary, fix: null };
  }
  // Seccomp 2 in /proc/self/status: something around Rauha filters its own system calls.
  const filtered = /^Seccomp:\s*2$/m.test(settings["/proc/self/status"] ?? "");
  const around = filtered
    ? "; Rauha itself runs under a seccomp filter, as in a container, which may be what refuses"
    : "";
  const hint = trial.hint === null ? "" : `; ${trial.hint}`;
  const summary = `\`true\` could not run in a zone with the policy task: ${trial.message}${hint}${around}`;
  return { check: "trial", state: "unavailable", needed: true, summary, fix: null };
}

/** Whether the policy `task` can be enforced: `rauha doctor`'s exit code. */
export function isEnforceable(findings: readonly Finding[]): boolean {
  return findings.every(({ state, needed }) => !needed || state !== "unavailable");
}
