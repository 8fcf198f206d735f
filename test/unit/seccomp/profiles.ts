/** Profiles that tests make up, and the shortest way to a filter. */
import { type CompileOptions, type CompileOutcome, compileSeccomp } from "../../../src/run/seccomp/compile.ts";
import type {
  Arch,
  ArgCondition,
  SeccompAction,
  SeccompProfile,
  SeccompRule,
} from "../../../src/run/seccomp/profile.ts";

export const allow: SeccompAction = { kind: "allow" };
export const errno = (number: number): SeccompAction => ({ kind: "errno", errno: number });

/** What every profile needs for a task to start. */
export const start: SeccompRule = { names: ["execve", "write", "exit_group"], action: allow, conditions: [] };

export function profileOf(rules: readonly SeccompRule[], defaultAction: SeccompAction = errno(1)): SeccompProfile {
  return { defaultAction, rules: [start, ...rules], architectures: null };
}

export function rule(
  name: string,
  action: SeccompAction = allow,
  conditions: readonly ArgCondition[] = [],
): SeccompRule {
  return { names: name.split(" "), action, conditions };
}

export function compile(
  profile: SeccompProfile,
  options: Partial<CompileOptions> & { arch?: Arch } = {},
): CompileOutcome {
  return compileSeccomp(profile, {
    arch: "x86_64",
    capabilities: [],
    deny: [],
    allow: [],
    deniedAction: "errno",
    ...options,
  });
}

/** The filter, or a failed test. */
export function filterOf(profile: SeccompProfile, options: Partial<CompileOptions> = {}): Uint8Array {
  const outcome = compile(profile, options);
  if (!outcome.ok) throw new Error(outcome.diagnostics.map(({ message }) => message).join("; "));
  return outcome.filter;
}

/** The messages of a compilation that must fail. */
export function refusals(profile: SeccompProfile, options: Partial<CompileOptions> = {}): string[] {
  const outcome = compile(profile, options);
  if (outcome.ok) throw new Error("the profile was accepted");
  return outcome.diagnostics.map(({ message }) => message);
}
