import type { HostIo } from "../backend.ts";
import type { HostFacts } from "../host-facts.ts";
import type { Policy } from "../policy/policy.ts";
import type { ZoneFilterOutcome } from "../seccomp/zone-compile.ts";
import { zoneFilter } from "../seccomp/zone-filter.ts";
import type { PlanInputs } from "./draft.ts";
import type { PlanOutcome } from "./plan.ts";
import { plan } from "./planner.ts";

/** A seccomp profile is read up to this size. */
const profileBytes = 1 << 20;

/** The filter that a policy asks for, with the profile it names. */
export function filterFor(
  policy: Policy,
  facts: HostFacts,
  { readText }: Pick<HostIo, "readText">,
): Promise<ZoneFilterOutcome> {
  return zoneFilter(policy, facts, (path) => readText(path, profileBytes));
}

/** A plan from the first op to the last, and the filter before, where it is not made yet. */
export async function planWhole(inputs: PlanInputs, io: Pick<HostIo, "readText">): Promise<PlanOutcome> {
  if (inputs.filter !== undefined) return plan({ ...inputs, filter: inputs.filter });
  const made = await filterFor(inputs.policy, inputs.facts, io);
  return made.ok ? plan({ ...inputs, filter: made.filter }) : made;
}
