import type { Origin } from "../../diagnostic.ts";
import { accessRights, handledRights, handledScopes, missingInAbi, rightsMask } from "../../landlock/abi.ts";
import { viewRules } from "../../landlock/rules.ts";
import { policyOrigin } from "../../policy/policy.ts";
import { mountFlag } from "../contract.ts";
import { addOp, keep, type PlanDraft, refuse, unavailable, zoneOrigin } from "../draft.ts";
import type { PlannedOp } from "../plan.ts";
import { foreignPlaces } from "./image.ts";

/** A file that the mounts show and no rule allows: if the task could read it, Landlock would not be deciding. */
export const landlockProbe = "/.rauha";

/** Places of the root tmpfs whose files are the zone's own: readable, as the mount view has them. */
const ownTrees = ["/etc"];

/**
 * The filesystem view again as a Landlock ruleset, and the scope of signals and abstract sockets. Follows the filesystem section:
 * its rules are read off the mounts. Without Landlock and without BPF-LSM no zone runs: nothing but the view would decide.
 */
export function planLandlock(draft: PlanDraft): void {
  const { facts, policy } = draft;
  const abi = facts.landlockAbi;
  const required = policy.enforcement.require;
  const origin = policyOrigin(policy, "enforcement.require");
  if (abi === 0) {
    const host = { kind: "host", what: "Landlock" } as const;
    const message = "the kernel has no Landlock, and no BPF-LSM program of ours decides: no zone runs without one";
    const hint = "boot Linux 5.13 or newer with landlock in the lsm= list; `rauha doctor` says what is missing";
    refuse(draft, "unenforceable", message, required === "landlock" ? origin : host, hint);
    return;
  }
  const denied = policy.filesystem.deniedPaths;
  const ruleset = { op: "landlock", fs: handledRights(abi), net: 0, scope: handledScopes(abi) } as const;
  const op = addOp(draft, ruleset, zoneOrigin("landlock"), `Landlock ABI ${abi}: what no rule allows is denied`);
  // Worked out once for each kind of place: there are many places and few kinds.
  const masks: Partial<Record<keyof typeof accessRights, number>> = {};
  const rule = (
    path: string,
    access: keyof typeof accessRights,
    from: Origin = zoneOrigin("landlock"),
    flags = 0,
    except: readonly string[] = [],
  ) => {
    masks[access] ??= rightsMask(accessRights[access], abi);
    const rights = masks[access];
    addOp(draft, { op: "landlock_path", path, access: rights, flags, except }, from, `${access} at ${path}`);
  };
  rule("/", "list");
  const { image } = draft.request;
  // Everything of the image, by its top-level names; so that the zone's own mounts keep the rules that they have without one.
  if (image !== undefined)
    rule("/", "writeTree", { kind: "flag", flag: "--image" }, 0, foreignPlaces(draft, landlockProbe));
  const own = image === undefined ? ownTrees : [];
  const trees = own.map((path) => ({ path, except: denied.filter((place) => place.startsWith(`${path}/`)) }));
  for (const { path, except } of trees) rule(path, "readTree", undefined, 0, except);
  for (const { path, access, origin: from, optional, except } of viewRules(draft.ops, denied, trees)) {
    rule(path, access, from, optional ? mountFlag.optional : 0, except);
  }
  const missing = missingInAbi(abi);
  const lack = missing.length === 0 ? "" : `, without ${missing.join(", ")}`;
  // A right to make names there would hold for everything below, mounts included (docs/adr/0063).
  const beside = image === undefined ? "" : "; new names in / are denied, --dir makes them";
  keep(draft, "filesystem_rules", "landlock", [op], ` ABI ${abi}${lack}${beside}`);
  if (handledScopes(abi) === 0) unavailable(draft, "scope", `landlock ABI ${abi} has no scopes (Linux 6.12)`);
  else keep(draft, "scope", "landlock", [op], ` ABI ${abi}: signals and abstract unix sockets`);
}

/**
 * Rules for what these ops show besides places that have theirs. `covering` are places whose rule lets everything below be read; the
 * same as planLandlock makes where none of the others lies below what is shown.
 */
export function planMoreRules(draft: PlanDraft, ops: readonly PlannedOp[], covering: readonly string[]): void {
  const trees = covering.map((path) => ({ path, except: [] }));
  for (const { path, access, origin, optional, except } of viewRules(ops, [], trees)) {
    const rights = rightsMask(accessRights[access], draft.facts.landlockAbi);
    const flags = optional ? mountFlag.optional : 0;
    addOp(draft, { op: "landlock_path", path, access: rights, flags, except }, origin, `${access} at ${path}`);
  }
}
