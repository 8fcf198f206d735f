import type { Form } from "./form.ts";
import { limitForm } from "./quantities.ts";

/** What a key of a policy takes: one value of a form, a list of such, or a table whose names are the user's. */
export type KeySpec = ValueSpec<unknown> | ListSpec<unknown> | TableSpec<unknown>;

export interface ValueSpec<T> {
  readonly kind: "value";
  readonly form: Form<T>;
  readonly json: LeafJson;
}

export interface ListSpec<T> {
  readonly kind: "list";
  readonly form: Form<T>;
  readonly json: LeafJson;
  readonly description: string;
}

export interface TableSpec<T> {
  readonly kind: "table";
  readonly name: { readonly form: Form<string>; readonly json: LeafJson };
  readonly form: Form<T>;
  readonly json: LeafJson;
  readonly description: string;
}

export interface SectionSpec<K extends Readonly<Record<string, KeySpec>> = Readonly<Record<string, KeySpec>>> {
  readonly description: string;
  readonly keys: K;
}

/** What the JSON Schema says of one value. */
export interface LeafJson {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

/** What a key of this kind is read as. */
export type DataOf<S> =
  S extends ValueSpec<infer T>
    ? T
    : S extends ListSpec<infer T>
      ? readonly T[]
      : S extends TableSpec<infer T>
        ? Readonly<Record<string, T>>
        : never;

export function value<T>(form: Form<T>, json: LeafJson): ValueSpec<T> {
  return { kind: "value", form, json };
}

/** A limit, or `unlimited`. */
export function limit(form: Form<number>, json: LeafJson): ValueSpec<number | null> {
  return value(limitForm(form), json);
}

export function list<T>(form: Form<T>, json: LeafJson, description: string): ListSpec<T> {
  return { kind: "list", form, json, description };
}

export function table<T>(
  name: TableSpec<T>["name"],
  { form, json }: Pick<ValueSpec<T>, "form" | "json">,
  description: string,
): TableSpec<T> {
  return { kind: "table", name, form, json, description };
}

export function section<K extends Readonly<Record<string, KeySpec>>>(description: string, keys: K): SectionSpec<K> {
  return { description, keys };
}
