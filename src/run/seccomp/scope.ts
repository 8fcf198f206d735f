import type { Arch, RuleScope, SeccompRule } from "./profile.ts";

/** What a profile's `includes` and `excludes` are decided by. */
export interface Surroundings {
  readonly arch: Arch;
  /** The zone's capabilities, CAP_*. */
  readonly capabilities: readonly string[];
  /** `uname -r`; without it the kernel counts as new enough for everything. */
  readonly kernel?: string | undefined;
}

const goArch: Readonly<Record<Arch, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** Whether a rule counts here: all that it includes is so, and nothing that it excludes. */
export function ruleApplies({ includes, excludes }: SeccompRule, surroundings: Surroundings): boolean {
  return included(includes ?? {}, surroundings) && !excluded(excludes ?? {}, surroundings);
}

function included({ caps, arches, minKernel }: RuleScope, { arch, capabilities, kernel }: Surroundings): boolean {
  return (
    (caps ?? []).every((name) => capabilities.includes(name)) &&
    (!arches?.length || arches.includes(goArch[arch])) &&
    (minKernel === undefined || kernelAtLeast(kernel, minKernel))
  );
}

function excluded({ caps, arches, minKernel }: RuleScope, { arch, capabilities, kernel }: Surroundings): boolean {
  return (
    (caps ?? []).some((name) => capabilities.includes(name)) ||
    (arches ?? []).includes(goArch[arch]) ||
    (minKernel !== undefined && kernelAtLeast(kernel, minKernel))
  );
}

function kernelAtLeast(kernel: string | undefined, least: string): boolean {
  if (kernel === undefined) return true;
  const [major = 0, minor = 0] = versionOf(kernel);
  const [leastMajor = 0, leastMinor = 0] = versionOf(least);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function versionOf(text: string): number[] {
  return (/^(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
}
