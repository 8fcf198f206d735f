import type { Backend } from "../../run/backend.ts";
import type { Diagnostic } from "../../run/diagnostic.ts";
import type { HostFacts } from "../../run/host-facts.ts";
import type { PlanOutcome } from "../../run/plan/plan.ts";
import { planWhole } from "../../run/plan/whole.ts";
import type { Policy } from "../../run/policy/policy.ts";
import type { SandboxRequest } from "../../run/request.ts";
import { zoneFilter } from "../../run/seccomp/zone-filter.ts";
import { commandHash, newId } from "../ids.ts";
import { type OpenedParts, openParts } from "../run-parts.ts";

/** Seccomp profiles are some ten kilobytes. */
const profileBytes = 4 << 20;

/** Whether the policy's system call filter can be made: what `rauha policy check` says beside the form of the file. */
export async function checkFilter(backend: Backend, facts: HostFacts, policy: Policy): Promise<readonly Diagnostic[]> {
  const filter = await zoneFilter(policy, facts, (path) => backend.io.readText(path, profileBytes));
  return filter.ok ? [] : filter.diagnostics;
}

/** What a run of `true` under a policy needs, with these id maps if any, or why this host refuses it. */
export async function openTrial(
  backend: Backend,
  facts: HostFacts,
  policy: Policy,
  ids?: SandboxRequest["ids"],
): Promise<OpenedTrial> {
  const filter = await zoneFilter(policy, facts, (path) => backend.io.readText(path, profileBytes));
  if (!filter.ok) return filter;
  // With ids of its own a zone has a root.
  const request = { ...trialRequest(backend), ...(ids && { ids, user: { uid: 0, gid: 0 } }) };
  const inputs = { request, policy, facts, filter: filter.filter };
  return openParts(backend, inputs, { explain: false, onSuccess: "discard" });
}

/** A trial that can be planned and run, or why this host refuses it. */
export type OpenedTrial =
  | Extract<OpenedParts, { ok: true }>
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The plan of `true` under a policy: what this host would do, or refuse to do, for any task. */
export async function planTrial(backend: Backend, facts: HostFacts, policy: Policy): Promise<PlanOutcome> {
  const opened = await openTrial(backend, facts, policy);
  return opened.ok ? planWhole(opened.inputs, backend.io) : opened;
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
