import { isBelow } from "../absolute-path.ts";
import type { Origin } from "../diagnostic.ts";
import { mountFlag } from "../plan/contract.ts";
import type { PlannedOp } from "../plan/plan.ts";
import type { accessRights } from "./abi.ts";

/** A place of which everything may be read, but for what is denied below. */
export interface ViewTree {
  readonly path: string;
  /** Denied places below it: the rule is given to everything around them instead. */
  readonly except: readonly string[];
}

/** One place of the view and what may be done there and below. */
export interface ViewRule extends ViewTree {
  readonly access: keyof typeof accessRights;
  readonly origin: Origin;
  /** The place may not be there: the mount it mirrors was optional. */
  readonly optional: boolean;
}

/**
 * The filesystem view again, as Landlock rules: each mount of the plan gives one rule, so that a view that is wrong (a mount that
 * leaks, a mask that is gone) is still denied. Rules only ever allow; `denied` places are cut out of read-only trees by giving
 * the rule to their neighbours. In a writable tree that would forbid making new files beside them, so there the mask alone holds.
 * `trees` have their rules already.
 */
export function viewRules(
  ops: readonly PlannedOp[],
  denied: readonly string[],
  trees: readonly ViewTree[] = [],
): ViewRule[] {
  const rules = new Map<string, ViewRule>();
  const add = (path: string, access: ViewRule["access"], origin: Origin, flags: number) => {
    const cut = access === "readTree" ? denied.filter((place) => isBelow(place, path)) : [];
    rules.set(path, { path, access, origin, optional: (flags & mountFlag.optional) !== 0, except: cut });
  };
  for (const { op, origin } of ops) {
    switch (op.op) {
      case "bind":
      case "mirror": {
        if ((op.flags & mountFlag.dev) !== 0) add(op.target, "device", origin, op.flags);
        else if ((op.flags & mountFlag.readOnly) !== 0) add(op.target, "readTree", origin, op.flags);
        else add(op.target, "writeTree", origin, op.flags);
        break;
      }
      case "scratch":
        add(op.target, "writeTree", origin, 0);
        break;
      case "overlay":
        add(op.target, "writeTree", origin, op.flags);
        break;
      case "detach":
        rules.delete(op.target);
        break;
      case "proc":
      case "sysfs":
        // Programs write to their own /proc/self (oom_score_adj, comm); what belongs to the host is read-only by mount.
        add(op.target, "proc", origin, 0);
        break;
      case "devpts":
        add(op.target, "device", origin, 0);
        break;
      case "copy":
      case "file":
      case "dir":
      case "symlink":
      case "root":
      case "layer":
      case "image":
        break;
    }
  }
  const all = [...rules.values()];
  return all.filter((rule) => rule.access !== "readTree" || !isCovered(rule, all, trees));
}

/** Whether a rule above allows all this one does: each rule less is four system calls less, and opens in the zone look through fewer. */
function isCovered({ path }: ViewRule, all: readonly ViewRule[], trees: readonly ViewTree[]): boolean {
  const covers = (tree: ViewTree) => tree.except.length === 0 && isBelow(path, tree.path);
  return trees.some(covers) || all.some((rule) => rule.path !== path && reads(rule) && !rule.optional && covers(rule));
}

function reads({ access }: ViewRule): boolean {
  return access === "readTree" || access === "writeTree";
}
