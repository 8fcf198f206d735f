/**
 * A seccomp profile as data: what the containers' JSON format says, after reading. Rules of one system call are tried in the
 * order of the profile; the first one whose conditions all hold decides, else the default action.
 */
export interface SeccompProfile {
  readonly defaultAction: SeccompAction;
  readonly rules: readonly SeccompRule[];
  /** The architectures that the profile is written for; `null`: it does not say. */
  readonly architectures: readonly Arch[] | null;
}

/** Architectures that filters are made for. */
export type Arch = "x86_64" | "aarch64";

/** `notify` denies with EPERM as `errno` 1 does, and is always seen by the listener where there is one. */
export type SeccompAction =
  | { readonly kind: "allow" | "log" | "trap" | "kill_thread" | "kill_process" | "notify" }
  | { readonly kind: "errno"; readonly errno: number };

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  /** All must hold; none: the rule is about every call. */
  readonly conditions: readonly ArgCondition[];
  /** When the rule counts at all. */
  readonly includes?: RuleScope;
  readonly excludes?: RuleScope;
  /** Where the rule stands, for diagnostics. */
  readonly place?: RulePlace;
}

export interface RulePlace {
  readonly file: string;
  /** JSON pointer. */
  readonly pointer: string;
  readonly line: number;
}

/** What a rule depends on besides the call: decided when the filter is compiled. */
export interface RuleScope {
  readonly caps?: readonly string[];
  /** Names of Go's, as the format has it: amd64, arm64. */
  readonly arches?: readonly string[];
  /** `4.8` */
  readonly minKernel?: string;
}

/** A condition on one of the six 64-bit arguments, compared without sign. */
export type ArgCondition =
  | { readonly index: number; readonly op: "eq" | "ne" | "lt" | "le" | "gt" | "ge"; readonly value: bigint }
  /** (argument & mask) == value. Where the kernel takes an `int`, a mask of 32 bits ignores what it ignores. */
  | { readonly index: number; readonly op: "masked_eq"; readonly mask: bigint; readonly value: bigint };
