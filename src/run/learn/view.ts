import { mountFlag } from "../plan/contract.ts";
import type { Plan } from "../plan/plan.ts";

/** How a place shows in a zone: not at all, hidden by a denied path, to read, to write, or in a scratch directory that begins empty. */
export type Shown = "absent" | "hidden" | "readable" | "writable" | "scratch";

/** A zone's view as its plan has it. */
export interface View {
  shown(path: string): Shown;
  /** Whether something shows at this place or below that a scratch directory there would hide. */
  holds(path: string): boolean;
  /** Whether a name that is not there can be made: in an image below its top-level names, whose rules `/` itself has not. */
  grows(path: string): boolean;
  /** Whether an image is the root. */
  readonly ofImage: boolean;
}

/** What an image has, symlinks followed within it. */
export interface ImageFiles {
  has(path: string): boolean;
}

/** The view that a plan makes: the last mount that covers a place decides; where none does, the image that is the root. */
export function viewOf(plan: Plan, image?: ImageFiles): View {
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
        mounts.push({ path: op.target, shown: image === undefined ? "readable" : "writable", exact: true });
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
  const above = (path: string) => mounts.some((mount) => isInside(mount.path, path));
  const inImage = (path: string) => covering(path) === undefined && image?.has(path) === true;
  return {
    shown: (path) => {
      const mount = covering(path);
      if (mount !== undefined) return mount.shown;
      if (inImage(path)) return "writable";
      return above(path) ? "readable" : "absent";
    },
    holds: (path) => covering(path)?.shown === "readable" || inImage(path) || above(path),
    ofImage: image !== undefined,
    grows: (path) => {
      const end = path.indexOf("/", 1);
      if (image === undefined || end < 0 || covering(path) !== undefined) return false;
      const top = path.slice(0, end);
      return image.has(top) || above(top) || mounts.some((mount) => mount.path === top);
    },
  };
}

/** Whether a path lies below another one. */
export function isInside(path: string, folder: string): boolean {
  return path !== folder && path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
