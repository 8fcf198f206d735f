import { z } from "../zod.ts";

/** Pieces that the schemas of results and events share. Each call makes a new one, since descriptions hang on identity. */

/** Adds the description that the JSON Schema shows. */
export function described<T extends z.core.$ZodType>(schema: T, description: string): T {
  z.globalRegistry.add(schema, { description });
  return schema;
}

export const text = (description: string) => described(z.string(), description);
export const timestamp = () => described(z.iso.datetime({ offset: true }), "RFC 3339");
export const count = () => z.int().check(z.minimum(0));
export const amount = () => z.number().check(z.minimum(0));
export const enforcementMode = () => z.enum(["enforcing", "audit_only", "noop", "unavailable"]);
export const trustLevel = () => z.enum(["complete", "partial", "best_effort", "unavailable"]);
