import { z } from "./zod.ts";

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface SchemaIdentity {
  /** A URN: the schema is printed by the program, and lies at no address. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /**
   * Whether objects may have keys that the schema does not name. What Rauha writes is append-only, so a reader's older schema
   * must let newer keys pass; what Rauha reads it refuses when it does not know it.
   */
  readonly open: boolean;
}

/** The JSON Schema of a zod schema's input, without what only zod means. */
export function toJsonSchema(schema: z.core.$ZodType, { id, title, description, open }: SchemaIdentity): JsonSchema {
  const {
    $schema,
    description: _,
    ...body
  } = z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      tidy(jsonSchema, open);
      // zod leaves out examples of what it transforms, as they may be of either side; ours are of the input.
      const examples = z.globalRegistry.get(zodSchema)?.["examples"];
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
  return { $schema, $id: id, title, description, ...body };
}

function tidy(schema: z.core.JSONSchema.BaseSchema, open: boolean): void {
  // Bounds of the language, not of the value.
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  // The format says it; zod's pattern repeats it in a thousand characters.
  if (schema.format !== undefined) delete schema.pattern;
  if (open && schema.type === "object") delete schema.additionalProperties;
}
