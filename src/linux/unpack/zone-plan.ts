import type { HostFacts } from "../../run/host-facts.ts";
import { fsRight } from "../../run/landlock/abi.ts";
import type { Plan, PlannedOp, PlanOutcome } from "../../run/plan/plan.ts";
import { plan as planZone } from "../../run/plan/planner.ts";
import type { Policy } from "../../run/policy/policy.ts";
import { shippedPolicies } from "../../run/policy/shipped.gen.ts";
import type { ZoneFilter } from "../../run/seccomp/zone-compile.ts";

/** Where the zone sees the program that unpacks, and the one directory that it can write to. */
export const unpackProgram = "/unpack/rauha";
export const unpackTarget = "/unpack/layer";
/** And other layers, by number, for work that looks at them. */
export const unpackLower = "/unpack/lower";

const mebi = 1 << 20;

/** What the plan of a zone that unpacks a layer is made of. */
export interface UnpackZone {
  readonly facts: HostFacts;
  readonly filter: ZoneFilter;
  readonly policy: Policy;
  readonly taskId: string;
  readonly zoneId: string;
  /** The executable, on the host. */
  readonly program: string;
  /** The directory to fill, on the host. */
  readonly target: string;
  /** Directories of the host to look at. */
  readonly lowers?: readonly string[] | undefined;
  /** The maps of subordinate ids that the files in it belong to. */
  readonly ids?: readonly PlannedOp[] | undefined;
  readonly arguments: readonly string[];
}

/**
 * The policy that an archive is unpacked under: that of a task, which has no network and sees nothing of the host but programs; less of
 * everything; and, where the zone has more ids than one, the capabilities that keep owners, modes and file capabilities as the archive
 * has them, over the zone's own ids.
 */
export function unpackPolicy(hasIds: boolean): Policy {
  const { task } = shippedPolicies;
  if (task === undefined) throw new Error("there is no policy task");
  const capabilities = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_SETFCAP"];
  return {
    ...task,
    name: "unpack",
    capabilities: { allowed: hasIds ? capabilities : [] },
    resources: { ...task.resources, pidsMax: 128 },
    limits: { ...task.limits, nofile: 1024 },
    filesystem: { ...task.filesystem, writablePaths: [], tmpSizeBytes: 16 * mebi, tmpInodes: 4096 },
    // Set-id bits are kept, and whiteouts are devices in form: tasks may make neither.
    syscalls: { ...task.syscalls, allow: ["fchmod", "mknodat"] },
    env: { pass: [], set: {} },
  };
}

/** The plan of the zone that unpacks one layer. */
export function planUnpack(zone: UnpackZone): PlanOutcome {
  const origin = { kind: "zone", what: "unpacking" } as const;
  const command = [unpackProgram, ...zone.arguments];
  const outcome = planZone({
    facts: zone.facts,
    filter: zone.filter,
    policy: zone.policy,
    request: {
      taskId: zone.taskId,
      zoneId: zone.zoneId,
      command,
      commandHash: "",
      env: [],
      envPass: [],
      view: [
        { kind: "ro-bind", source: zone.program, target: unpackProgram, origin },
        { kind: "rw-bind", source: zone.target, target: unpackTarget, origin },
        ...(zone.lowers ?? []).map(
          (source, index) => ({ kind: "ro-bind", source, target: `${unpackLower}/${index}`, origin }) as const,
        ),
      ],
      // The caller's own id may be another than root's; what an archive does not say belongs to root.
      ...(zone.ids && { ids: zone.ids, user: { uid: 0, gid: 0 } }),
      limits: {},
      io: { mode: "capture", stdin: true, maxOutputBytes: 8 * mebi },
    },
  });
  return outcome.ok ? { ok: true, plan: withWhiteouts(outcome.plan) } : outcome;
}

/** No other zone may make a device, not even the 0:0 that overlayfs takes for "deleted" and that the kernel lets anyone make. */
function withWhiteouts(plan: Plan): Plan {
  const ops = plan.ops.map((planned): PlannedOp => {
    const { op } = planned;
    if (op.op !== "landlock_path" || op.path !== unpackTarget) return planned;
    return { ...planned, op: { ...op, access: Number(op.access) | (1 << fsRight.make_char.bit) } };
  });
  return { ...plan, ops };
}
