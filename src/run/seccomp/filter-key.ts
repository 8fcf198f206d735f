import type { Arch } from "./profile.ts";

/** All that a filter of the default profile depends on. */
export interface FilterInputs {
  readonly arch: Arch;
  readonly capabilities: readonly string[];
  readonly deny: readonly string[];
  readonly allow: readonly string[];
}

/** The inputs in one string; capabilities that the profile does not ask about don't count. */
export function filterKey({ arch, capabilities, deny, allow }: FilterInputs, deciding: readonly string[]): string {
  const counting = capabilities.filter((name) => deciding.includes(name));
  return [[arch], counting, deny, allow].map((list) => [...new Set(list)].sort().join(",")).join(";");
}
