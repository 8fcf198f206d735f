import type { Report } from "../report/report.ts";
import { describeCall } from "../seccomp/describe.ts";
import { syscallName } from "../seccomp/syscalls.ts";
import type { EnforcementEvent } from "./schema.ts";

type Denied = Report["denied"][number];

/** Denied system calls, and what BPF-LSM programs denied, as enforcement events: what was tried on what, by whom, why not, and which policy key would allow it. */
export function projectDenials(report: Report): EnforcementEvent[] {
  const calls = report.denied.map((denial): EnforcementEvent => {
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
  return [...calls, ...report.lsmDenied.map((denial) => lsmEvent(denial, report.plan.zoneId))];
}

/** BPF-LSM denials are described where they are read. */
function lsmEvent(denial: Report["lsmDenied"][number], zone: string): EnforcementEvent {
  const { hook, action, decision, message, pid, comm, targetZone, object, why, policyKey } = denial;
  return {
    timestamp: new Date(denial.at).toISOString(),
    ...{ hook, action, decision, message, pid, comm: comm === "" ? null : comm },
    ...{ source_zone: zone, target_zone: targetZone, object, why },
    ...(policyKey === undefined ? {} : { policy_key: policyKey }),
  };
}

const AUDIT_ARCH_AARCH64 = 0xc000_00b7;

/** The name of the system call that was denied. */
export function deniedCall(denial: Denied): string {
  return syscallName(denial.arch === AUDIT_ARCH_AARCH64 ? "aarch64" : "x86_64", denial.nr);
}
