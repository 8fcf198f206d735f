import { type JsonSchema, toJsonSchema } from "../json-schema.ts";
import { policySchema } from "./schema.ts";

/** What `rauha schema policy` prints: the form of a policy file, as JSON Schema of its TOML data. */
export function policyJsonSchema(): JsonSchema {
  return toJsonSchema(policySchema, {
    id: "urn:rauha:schema:policy:v1",
    title: "Rauha policy",
    description: "A policy file (TOML): an allow-list. Nothing is permitted unless listed.",
    open: false,
  });
}
