import { type JsonSchema, toJsonSchema } from "../json-schema.ts";
import { eventSchema } from "./event-schema.ts";
import { resultSchema } from "./schema.ts";

/** What `rauha schema result` prints: the form of `rauha sandbox`'s result. */
export function resultJsonSchema(): JsonSchema {
  return toJsonSchema(resultSchema, {
    id: "urn:rauha:schema:sandbox-result:v1",
    title: "Rauha sandbox result",
    description: "The result of one task. Keys are append-only: a reader passes over keys that it does not know.",
    open: true,
  });
}

/** What `rauha schema event` prints: the form of one event, in a result or on a line of `rauha events`. */
export function eventJsonSchema(): JsonSchema {
  return toJsonSchema(eventSchema, {
    id: "urn:rauha:schema:event:v1",
    title: "Rauha event",
    description: "A lifecycle or audit fact with flat dotted keys. Keys are append-only.",
    open: true,
  });
}
