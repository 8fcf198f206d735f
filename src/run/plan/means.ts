/** The form of the enforcement table, and rows that many promises share. */

/** One mechanism by which a rule can be kept. */
export interface Means {
  /** The mechanism as `guarantees[].mechanism` begins. */
  readonly words: string;
  /** The Linux version that brought what is used. */
  readonly kernel: string;
  /** Who can use it, and when it is chosen. */
  readonly when: string;
  /** What a break of the rule meets. */
  readonly effect: string;
}

/** A rule with all mechanisms that can keep it. */
export interface Rule {
  /** Policy keys and flags that ask for it; "always" for what every zone is. */
  readonly rules: string;
  readonly means: Readonly<Record<string, Means>>;
}

export const always = "anyone";
export const rootOrDelegated = "root, or a user with a delegated cgroup";
export const withoutCgroup = "no cgroup controller can be used";

export function namespace(kernel: string, effect: string, words: string): Rule {
  return { rules: "always", means: { namespace: { words, kernel, when: always, effect } } };
}

export function rlimit(rules: string, effect: string): Rule {
  return { rules, means: { rlimit: { words: "rlimit", kernel: "2.6", when: always, effect } } };
}
