import type { Origin } from "./diagnostic.ts";
import type { PlannedOp } from "./plan/plan.ts";
import type { NetworkMode } from "./policy/policy.ts";

/**
 * What the caller asked for, checked for form but not against policy or host: one `rauha sandbox` invocation.
 * Absent means: not asked, the policy or the default decides. Paths are absolute; sizes are bytes, times milliseconds.
 */
export interface SandboxRequest {
  readonly taskId: string;
  readonly zoneId: string;
  readonly command: readonly string[];
  /** `sha256:` and hex over the command's arguments, each followed by NUL. */
  readonly commandHash: string;
  readonly repo?:
    | {
        readonly path: string;
        /** Where it is in the zone; at its own path when absent. */
        readonly target?: string | undefined;
        readonly mode: RepoMode;
        readonly origin: Origin;
      }
    | undefined;
  /** The root filesystem of the zone, as the runner found it in the store of images; absent: what the policy says. */
  readonly image?: ImageRoot | undefined;
  /** Where the layers of copy-on-write directories are, as the runner prepared them: the workspace in mode `overlay`, overlay-binds. */
  readonly copyOnWrite?: readonly CopyOnWriteLayer[] | undefined;
  readonly workdir?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Variables to set, in order; the last of a name wins. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** Variables of the caller's to hand in. */
  readonly envPass: readonly string[];
  /** The filesystem view, piece by piece, in the order of the command line. */
  readonly view: readonly ViewEntry[];
  readonly network?: NetworkMode | undefined;
  /** Domains and endpoints that flags add to the policy's, as they were written. */
  readonly allowDomains?: readonly string[] | undefined;
  readonly allowEgress?: readonly string[] | undefined;
  /** Ports of the host that lead to the zone, as `[IP:]PORT:PORT`. */
  readonly publish?: readonly string[] | undefined;
  readonly user?: { readonly uid: number; readonly gid?: number | undefined } | undefined;
  readonly hostname?: string | undefined;
  /** The maps of an ordinary user's subordinate ids, as ops (src/run/ids); absent: one id, or root's own range. */
  readonly ids?: readonly PlannedOp[] | undefined;
  readonly limits: RequestLimits;
  readonly io: RequestIo;
}

/** An image as the root of a zone: unpacked layers, and what of its configuration the zone takes over. */
export interface ImageRoot {
  readonly reference: string;
  /** Of the manifest. */
  readonly digest: string;
  /** The lowest first. `tree` is a directory of the host in the form of an overlayfs lower directory; `name` says which layer it is. */
  readonly layers: readonly { readonly name: string; readonly tree: string }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** Absolute. */
  readonly workingDir: string | undefined;
  /** Directories that are there even if no layer has them; absolute, without `.` and `..`. */
  readonly volumes: readonly string[];
  readonly user: ImageUser;
  /** The signal that asks the task to end. */
  readonly stopSignal: number;
}

/** Who the image's command is, from the image's own accounts. */
export interface ImageUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly name: string | undefined;
  readonly home: string | undefined;
}

/** How the task has the workspace; docs/workspaces.md. */
export type RepoMode = "overlay" | "rw" | "ro";

/** One directory of the zone that is copy-on-write. */
export interface CopyOnWriteLayer {
  /** In the zone. */
  readonly target: string;
  /** Directory of the host for the layer: `upper` and `work` in it for overlayfs, else `copy`. */
  readonly storage: string;
  readonly mechanism: "overlayfs" | "reflink copy" | "copy";
  /** Why it is not overlayfs. */
  readonly reason?: string | undefined;
}

/** One piece of the filesystem view. Targets are paths inside the zone. */
export type ViewEntry =
  | {
      readonly kind: "ro-bind" | "rw-bind" | "overlay-bind";
      readonly source: string;
      readonly target: string;
      readonly origin: Origin;
    }
  | { readonly kind: "tmpfs" | "dir"; readonly target: string; readonly origin: Origin }
  | { readonly kind: "symlink"; readonly value: string; readonly target: string; readonly origin: Origin };

/** Limits by flag; each narrows the policy's, or sets it where the policy sets none. */
export interface RequestLimits {
  readonly memoryBytes?: number | undefined;
  readonly cpus?: number | undefined;
  readonly pids?: number | undefined;
  readonly cpuSeconds?: number | undefined;
  readonly asBytes?: number | undefined;
  readonly fsizeBytes?: number | undefined;
  readonly nofile?: number | undefined;
  readonly coreBytes?: number | undefined;
}

/** The streams of the task. */
export interface RequestIo {
  /** capture: streams are in the result; stream: the caller's own; pty: a terminal of the zone's own. */
  readonly mode: "capture" | "stream" | "pty";
  /** Whether the caller's stdin reaches the task. */
  readonly stdin: boolean;
  readonly maxOutputBytes: number;
}
