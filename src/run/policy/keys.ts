import type { z } from "../zod.ts";
import { policySchema } from "./schema.ts";

/** The keys of each section of a policy, as the schema has them. */
export const policyKeys: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(policySchema.shape).flatMap(([section, { def }]) => {
    const inner = (def.innerType as z.core.$ZodType)._zod.def as { type: string; shape?: Record<string, unknown> };
    return inner.shape === undefined ? [] : [[section, Object.keys(inner.shape)] as const];
  }),
);

/** What may stand at the top of a policy. */
export const topLevelKeys: readonly string[] = Object.keys(policySchema.shape);

/** Sections that have a key of this name. */
export function sectionsWith(key: string): string[] {
  return [...policyKeys].filter(([, keys]) => keys.includes(key)).map(([section]) => section);
}
