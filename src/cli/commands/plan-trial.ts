import type { Backend } from "../../run/backend.ts";
import type { Diagnostic } from "../../run/diagnostic.ts";
import type { HostFacts } from "../../run/host-facts.ts";
import type { LsmRun } from "../../run/lsm.ts";
import type { PlanOutcome } from "../../run/plan/plan.ts";
import { plan as planZone } from "../../run/plan/planner.ts";
import type { Policy } from "../../run/policy/policy.ts";
import type { SandboxRequest } from "../../run/request.ts";
import { zoneFilter } from "../../run/seccomp/zone-filter.ts";
import { commandHash, newId } from "../ids.ts";
import { openLsmRun } from "../lsm-run.ts";
import { openNetworkRun } from "../network-run.ts";

/** Seccomp profiles are some ten kilobytes. */
const profileBytes = 4 << 20;

/** Whether the policy's system call filter can be made: what `rauha policy check` says beside the form of the file. */
export async function checkFilter(backend: Backend, facts: HostFacts, policy: Policy): Promise<readonly Diagnostic[]> {
  const filter = await zoneFilter(policy, facts, (path) => backend.io.readText(path, profileBytes));
  return filter.ok ? [] : filter.diagnostics;
}

/** A plan, and the BPF-LSM side of it for who runs it. */
export type PlannedTrial = PlanOutcome & { readonly lsm?: LsmRun | undefined };

/** The plan of `true` under a policy: what this host would do, or refuse to do, for any task. */
export async function planTrial(backend: Backend, facts: HostFacts, policy: Policy): Promise<PlannedTrial> {
  const filter = await zoneFilter(policy, facts, (path) => backend.io.readText(path, profileBytes));
  if (!filter.ok) return { ok: false, diagnostics: filter.diagnostics };
  const request = trialRequest(backend);
  const inputs = { request, policy, facts, filter: filter.filter };
  const network = await openNetworkRun(backend, inputs);
  const lsm = await openLsmRun(backend, request, facts);
  if (!lsm.ok) return lsm;
  return { ...planZone({ ...inputs, network: network?.part, lsm: lsm.run }), lsm: lsm.run };
}

function trialRequest(backend: Backend): SandboxRequest {
  const command = ["true"];
  return {
    taskId: newId("task", backend.io),
    zoneId: newId("zone", backend.io),
    command,
    commandHash: commandHash(command),
    workdir: "/",
    timeoutMs: 10_000,
    env: [],
    envPass: [],
    view: [],
    limits: {},
    io: { mode: "capture", stdin: false, maxOutputBytes: 65_536 },
  };
}
