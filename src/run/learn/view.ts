import { mountFlag } from "../plan/contract.ts";
import type { Plan } from "../plan/plan.ts";

/** How a place shows in a zone: not at all, hidden by a denied path, to read, to write, or in a scratch directory that begins empty. */
export type Shown = "absent" | "hidden" | "readable" | "writable" | "scratch";

/** A zone's view as its plan has it. */
export interface View {
  shown(path: string): Shown;
  /** Whether something of the host's shows at this place or below, which a scratch directory there would hide. */
  holds(path: string): boolean;
}

/** The view that a plan makes: the last mount that covers a place decides. */
export function viewOf(plan: Plan): View {
  const mounts: { readonly path: string; readonly shown: Shown; readonly exact?: true }[] = [];
  for (const { op } of plan.ops) {
    switch (op.op) {
      case "bind":
      case "mirror":
        mounts.push({ path: op.target, shown: (op.flags & mountFlag.readOnly) !== 0 ? "readable" : "writable" });
        break;
      case "scratch":
        mounts.push({ path: op.target, shown: "scratch" });
        break;
      case "overlay":
      case "proc":
      case "sysfs":
      case "devpts":
        mounts.push({ path: op.target, shown: "writable" });
        break;
      case "copy":
      case "file":
      case "dir":
      case "symlink":
        mounts.push({ path: op.target, shown: "readable", exact: true });
        break;
      case "mask":
        mounts.push({ path: op.target, shown: "hidden" });
        break;
      case "read_only":
        mounts.push({ path: op.target, shown: "readable" });
        break;
    }
  }
  const covering = (path: string) =>
    mounts.findLast((mount) => path === mount.path || (mount.exact === undefined && isInside(path, mount.path)));
  return {
    shown: (path) => {
      const mount = covering(path);
      if (mount !== undefined) return mount.shown;
      return mounts.some((other) => isInside(other.path, path)) ? "readable" : "absent";
    },
    holds: (path) => covering(path)?.shown === "readable" || mounts.some((mount) => isInside(mount.path, path)),
  };
}

/** Whether a path lies below another one. */
export function isInside(path: string, folder: string): boolean {
  return path !== folder && path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
