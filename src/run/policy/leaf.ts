import { z } from "../zod.ts";
import { describeValue, type Form } from "./form.ts";
import { limitForm } from "./quantities.ts";

/** Pieces of the policy's schema: a form is one value with its own messages, zod holds them together. */

/** What the JSON Schema says of a leaf. */
export interface LeafMeta {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

/** A required value of this form. */
export function leaf<T>(form: Form<T>, meta: LeafMeta) {
  const read = z.transform((value: unknown, context): T => {
    const outcome = form(value);
    if (outcome.ok) return outcome.value;
    context.issues.push({ code: "custom", input: value, message: outcome.message, params: { hint: outcome.hint } });
    return z.NEVER;
  });
  return z.pipe(z.unknown(), read).register(z.globalRegistry, { ...meta });
}

/** A limit, or `unlimited`. */
export function limit(form: Form<number>, meta: LeafMeta) {
  return leaf(limitForm(form), meta);
}

/** A list of values of this form. */
export function list<T>(form: Form<T>, meta: LeafMeta, description: string) {
  const error = (issue: { input?: unknown }) => `expected a list such as ["…"], found ${describeValue(issue.input)}`;
  return z.array(leaf(form, meta), { error }).register(z.globalRegistry, { description });
}

/** A table whose keys are the user's to name. */
export function table<K extends z.core.$ZodRecordKey, V extends z.core.SomeType>(
  key: K,
  value: V,
  description: string,
) {
  const error = (issue: { input?: unknown }) =>
    `expected a table such as { CI = "1" }, found ${describeValue(issue.input)}`;
  return z.record(key, value, { error }).register(z.globalRegistry, { description });
}

/** A table of keys, each of which may be absent, as may be the table. */
export function section<S extends Readonly<Record<string, z.core.SomeType>>>(description: string, keys: S) {
  type Optional = { [K in keyof S]: z.ZodMiniOptional<S[K]> };
  const shape = Object.fromEntries(Object.entries(keys).map(([key, type]) => [key, z.optional(type)])) as Optional;
  const error = (issue: { code?: string; input?: unknown }) =>
    issue.code === "invalid_type" ? `expected a table, found ${describeValue(issue.input)}` : undefined;
  return z.optional(z.strictObject(shape, { error }).register(z.globalRegistry, { description }));
}
