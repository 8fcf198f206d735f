import type { Diagnostic } from "./diagnostic.ts";
import type { SubordinateIds } from "./ids/readiness.ts";
import type { ZoneIds } from "./ids/zone-ids.ts";
import type { PlannedOp } from "./plan/plan.ts";
import type { Policy } from "./policy/policy.ts";
import type { ImageRoot } from "./request.ts";

/** The image that a run names. */
export interface ImageWish {
  readonly reference: string;
  readonly pull: "always" | "missing" | "never";
  /** `linux/arm64/v8`; absent: the host's. */
  readonly platform?: string | undefined;
  /** Who the task is, by names of the image's own accounts; absent: whom the image says. */
  readonly user?: string | undefined;
  /** Who it is, by numbers: then nobody is looked up. */
  readonly ids?: { readonly uid: number; readonly gid: number } | undefined;
  /** Nothing is pulled and nothing unpacked: only what is there is told. */
  readonly dry: boolean;
}

/** An image ready to be a zone's root, and the command that it brings. */
export interface ReadyImage extends ImageRoot {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** The maps of the ids that its layers belong to, where those are an ordinary user's subordinate ones. */
  readonly maps?: readonly PlannedOp[] | undefined;
}

/** An image that is ready to be a root, or why it is not. */
export type ImageOutcome =
  | { readonly ok: true; readonly image: ReadyImage }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What a backend does about images before a run: pulls what is missing, unpacks what is packed, reads who the image's user is. */
export interface Images {
  /** What was prepared stays usable as long as this process lives. The policy says what images may hold. */
  prepare(wish: ImageWish, policy: Policy, audience: ImageAudience): Promise<ImageOutcome>;
  /** What an ordinary user has of subordinate ids, and whether the settings ask for them; nothing is tried. */
  subordinateIds(): Promise<SubordinateIds>;
  /**
   * Removes all that is in a directory of the caller's, in a zone with these ids: what belongs to subordinate ids, their owner alone can't
   * remove. Why it could not be done, if it could not.
   */
  empty(directory: string, ids: Pick<ZoneIds, "uid" | "gid">): Promise<readonly Diagnostic[]>;
  /** Gives the caller what a task left in a directory of his under other ids of these maps; in a zone, and why not, as above. */
  reclaim(directory: string, maps: readonly PlannedOp[]): Promise<readonly Diagnostic[]>;
}

/** Whoever waits for an image. */
export interface ImageAudience {
  /** A line for people, now and then while it takes time. */
  readonly say: (line: string) => void;
  /** Opened when a registry is asked, and closed when that is over, however it ends; absent: lines are said instead. */
  readonly bars?: (() => Promise<PullReport>) | undefined;
}

/** Shows how far a pull is. */
export interface PullReport {
  tell(event: PullEvent): void;
  /** Leaves the terminal as others expect it. May be called more than once. */
  end(): void;
}

/** What a pull does, as it happens; bounded in rate. The last one of a pull that succeeds is `done`. */
export type PullEvent =
  /** The registry named the manifest. Size: bytes of all layers, here or not. */
  | {
      readonly event: "resolved";
      readonly reference: string;
      readonly digest: string;
      readonly platform: string;
      readonly layers: number;
      readonly size: number;
    }
  /** A layer's state changed, or bytes of it arrived. */
  | {
      readonly event: "layer";
      readonly digest: string;
      readonly state: "waiting" | "downloading" | "verified" | "present";
      readonly bytes: number;
      readonly size: number;
    }
  /** Something failed and is tried again after `delay_ms`. */
  | { readonly event: "retry"; readonly what: string; readonly reason: string; readonly delay_ms: number }
  | {
      readonly event: "done";
      readonly reference: string;
      readonly digest: string;
      readonly downloaded_bytes: number;
      readonly up_to_date: boolean;
      readonly duration_ms: number;
    };
