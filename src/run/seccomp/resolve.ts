import { type DeniedAction, deniedVerdict, letsPass, verdictOf } from "./action.ts";
import { verdict } from "./bpf.ts";
import type { Branch } from "./conditions.ts";
import { type Decision, decision, type Range } from "./dispatch.ts";
import { syscallWeight } from "./frequency.ts";
import type { Arch, SeccompProfile, SeccompRule } from "./profile.ts";
import { ruleApplies, type Surroundings } from "./scope.ts";
import { type SyscallTable, syscallTable } from "./syscalls.ts";

const ENOSYS = 38;
const NOT_THERE = decision([], verdict.errno | ENOSYS);
const KILLED = decision([], verdict.killProcess);

export interface ResolveOptions extends Surroundings {
  readonly deny: readonly string[];
  readonly allow: readonly string[];
  readonly deniedAction: DeniedAction;
  /** Calls that the listener is asked about where they are allowed whatever their arguments: it lets them take place. */
  readonly watch?: readonly string[] | undefined;
}

/** What happens to every system call number there can be, as ranges in order. */
export function resolveRanges(profile: SeccompProfile, options: ResolveOptions): Range[] {
  const table = syscallTable(options.arch);
  const decisions = decideSyscalls(profile, options, table);
  const otherwise = decision([], verdictOf(profile.defaultAction, options.deniedAction));
  const absent = letsPass(profile.defaultAction) ? otherwise : NOT_THERE;
  const newest = newestNamed(profile, options, table);

  const ranges: Range[] = [];
  for (let number = 0; number <= table.newest; number++) {
    const name = table.names.get(number);
    const known = name !== undefined && number <= newest;
    const decided = decisions.get(name ?? "") ?? (known ? otherwise : absent);
    const weight = syscallWeight(name ?? "", decided.branches.length > 0);
    ranges.push({ first: number, decision: decided, weight });
  }
  return [...ranges, ...beyond(options.arch, table.newest + 1, absent)];
}

/**
 * Numbers that no system call of ours has. On x86-64 those of the x32 programs start at 2^30: nobody but an attacker looks for
 * a filter's gap there. The highest number of all is how a tracer skips a call, and answers as a kernel without it does.
 */
function beyond(arch: Arch, first: number, absent: Decision): Range[] {
  const unknown = { first, decision: absent, weight: 1 };
  if (arch !== "x86_64") return [unknown];
  return [
    unknown,
    { first: 0x4000_0000, decision: KILLED, weight: 1 },
    { first: 0xffff_ffff, decision: absent, weight: 1 },
  ];
}

/** The decisions that the profile's rules and the policy's lists make; calls without one get the default. */
function decideSyscalls(
  profile: SeccompProfile,
  options: ResolveOptions,
  table: SyscallTable,
): ReadonlyMap<string, Decision> {
  const fallback = verdictOf(profile.defaultAction, options.deniedAction);
  const rules = new Map<string, SeccompRule[]>();
  for (const rule of profile.rules) {
    if (!ruleApplies(rule, options)) continue;
    for (const name of rule.names) {
      if (!table.numbers.has(name)) continue;
      const list = rules.get(name);
      if (list) list.push(rule);
      else rules.set(name, [rule]);
    }
  }
  const decisions = new Map([...rules].map(([name, list]) => [name, decide(list, fallback, options.deniedAction)]));
  for (const name of options.allow) decisions.set(name, decision([], verdict.allow));
  for (const name of options.watch ?? []) {
    const decided = decisions.get(name) ?? decision([], fallback);
    if (isAllowed(decided)) decisions.set(name, decision([], verdict.notify));
  }
  for (const name of options.deny) decisions.set(name, decision([], deniedVerdict(options.deniedAction)));
  return decisions;
}

/** Whether a call is allowed whatever its arguments. */
export function isAllowed({ branches, otherwise }: Decision): boolean {
  return branches.length === 0 && otherwise === verdict.allow;
}

/** Rules up to the first one without conditions, less those that change nothing. */
function decide(rules: readonly SeccompRule[], fallback: number, denied: DeniedAction): Decision {
  const branches: Branch[] = [];
  let otherwise = fallback;
  for (const { conditions, action } of rules) {
    const answer = verdictOf(action, denied);
    if (conditions.length === 0) {
      otherwise = answer;
      break;
    }
    branches.push({ conditions, verdict: answer });
  }
  while (branches.at(-1)?.verdict === otherwise) branches.pop();
  return decision(branches, otherwise);
}

/**
 * The highest number that the profile speaks of: its author could not know of later calls, so they get ENOSYS, on which a
 * libc falls back to older ones, and not the profile's errno, on which it does not.
 */
function newestNamed(profile: SeccompProfile, { deny, allow }: ResolveOptions, table: SyscallTable): number {
  let newest = -1;
  for (const names of [deny, allow, ...profile.rules.map((rule) => rule.names)]) {
    for (const name of names) newest = Math.max(newest, table.numbers.get(name) ?? -1);
  }
  return newest;
}
