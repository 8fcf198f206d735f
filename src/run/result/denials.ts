import type { Report } from "../report/report.ts";
import { describeCall } from "../seccomp/describe.ts";
import { syscallName } from "../seccomp/syscalls.ts";
import type { EnforcementEvent } from "./schema.ts";

type Denied = Report["denied"][number];

/** Denied system calls as enforcement events: what was tried on what, by whom, why not, and which policy key would allow it. */
export function projectDenials(report: Report): EnforcementEvent[] {
  return report.denied.map((denial) => {
    const call = deniedCall(denial);
    const described = describeCall(call, denial.args, report.plan.callRules);
    const object = denial.object !== "" ? denial.object : described.object;
    return {
      timestamp: new Date(denial.at).toISOString(),
      hook: "seccomp",
      action: call,
      decision: "deny",
      message: `${call}${object === null ? "" : ` of ${object}`} denied: EPERM`,
      pid: denial.pid,
      comm: denial.comm === "" ? null : denial.comm,
      source_zone: report.plan.zoneId,
      target_zone: null,
      object,
      why: described.why,
      policy_key: described.policyKey,
    };
  });
}

const AUDIT_ARCH_AARCH64 = 0xc000_00b7;

/** The name of the system call that was denied. */
export function deniedCall(denial: Denied): string {
  return syscallName(denial.arch === AUDIT_ARCH_AARCH64 ? "aarch64" : "x86_64", denial.nr);
}
