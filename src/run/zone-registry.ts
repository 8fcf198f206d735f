import type { Plan } from "./plan/plan.ts";
import type { Policy } from "./policy/policy.ts";

/** A zone as its record says it: in the BPF maps, or in the runtime directory where those can't be used. */
export interface RecordedZone {
  readonly id: string;
  readonly name: string;
  /** `sha256:` and hex. */
  readonly policyHash: string;
  /** Id of its cgroup on the unified hierarchy, 0n where it has none. */
  readonly cgroup: bigint;
  /** Number of its mount namespace, 0 where nobody could say. */
  readonly mountNamespace: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** The records of living zones. */
export interface ZoneRegistry {
  /** The directory that they are in. */
  readonly place: string;
  list(): readonly RecordedZone[];
  /** The zone with this id or name. */
  find(idOrName: string): RecordedZone | undefined;
  /** Takes away what killed runs left; how many records that were. */
  sweep(): number;
  close(): void;
}

/** Opens the registry, or says why there is none. */
export type OpenZoneRegistry = () => ZoneRegistry | { readonly problem: string };

/** Records of zones in the runtime directory, for runs that no programs guard. */
export interface ZoneNotes {
  /** Makes the record of a zone whose init has this pid; what takes it away again, or why there is none. */
  note(plan: Plan, policy: Policy, pid: number): { remove(): void } | { readonly problem: string };
  /** Looks at a few records, and takes away those that killed runs left. */
  sweep(): void;
}
