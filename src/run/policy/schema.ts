import { z } from "../zod.ts";
import type { Form } from "./form.ts";
import type { KeySpec, LeafJson } from "./key-spec.ts";
import { extendsKey, policySections } from "./key-table.ts";

/**
 * The table of keys as a zod schema: the source of the JSON Schema, and what tests hold the reader to. No run of a task loads it.
 */
export const policySchema = z.strictObject({
  extends: z.optional(schemaOf(extendsKey)),
  ...Object.fromEntries(
    Object.entries(policySections).map(([name, { description, keys }]) => {
      const shape = Object.entries<KeySpec>(keys).map(([key, spec]) => [key, z.optional(schemaOf(spec))] as const);
      const table = z.strictObject(Object.fromEntries(shape)).register(z.globalRegistry, { description });
      return [name, z.optional(table)] as const;
    }),
  ),
});

function schemaOf(spec: KeySpec) {
  switch (spec.kind) {
    case "value":
      return leaf(spec.form, spec.json);
    case "list":
      return z.array(leaf(spec.form, spec.json)).register(z.globalRegistry, { description: spec.description });
    case "table":
      return z
        .record(leaf(spec.name.form, spec.name.json), leaf(spec.form, spec.json))
        .register(z.globalRegistry, { description: spec.description });
  }
}

/** A value that a form reads; zod's part is the place of a mistake, the words are the form's. */
function leaf<T>(form: Form<T>, json: LeafJson) {
  const read = z.transform((value: unknown, context): T => {
    const outcome = form(value);
    if (outcome.ok) return outcome.value;
    context.issues.push({ code: "custom", input: value, message: outcome.message });
    return z.NEVER;
  });
  return z.pipe(z.unknown(), read).register(z.globalRegistry, { ...json });
}
