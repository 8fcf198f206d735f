import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonSchema } from "../../src/run/json-schema.ts";
import { policyJsonSchema } from "../../src/run/policy/json-schema.ts";
import { eventJsonSchema, resultJsonSchema } from "../../src/run/result/json-schema.ts";

/**
 * The public schemas, as files that a reviewer sees change. `RAUHA_UPDATE_GOLDEN=1 bun test test/golden/schemas.test.ts` writes them anew
 * (`make format` after it), and adds new keys to `keys.json`. Nothing takes a key out of there: keys are append-only.
 */
const directory = join(import.meta.dir, "schemas");
const update = process.env["RAUHA_UPDATE_GOLDEN"] === "1";
const schemas: Readonly<Record<string, JsonSchema>> = {
  result: resultJsonSchema(),
  event: eventJsonSchema(),
  policy: policyJsonSchema(),
};

/** What a reader or a writer can rely on in one key. */
interface PublicKey {
  readonly required: boolean;
  /** Values of an enumeration. */
  readonly values?: readonly string[];
}

const read = (file: string): unknown => JSON.parse(readFileSync(join(directory, file), "utf8"));
const write = (file: string, value: unknown) =>
  writeFileSync(join(directory, file), `${JSON.stringify(value, null, 2)}\n`);

/** Every key of a schema by its path, `events[].timestamp`. */
function keysOf(schema: JsonSchema, path = "", found: Record<string, PublicKey> = {}): Record<string, PublicKey> {
  const required = (schema["required"] ?? []) as readonly string[];
  for (const [key, property] of Object.entries((schema["properties"] ?? {}) as Record<string, JsonSchema>)) {
    const name = path === "" ? key : `${path}.${key}`;
    const values = property["enum"] as readonly string[] | undefined;
    found[name] = { required: required.includes(key), ...(values === undefined ? {} : { values: [...values] }) };
    keysOf(property, name, found);
  }
  if (schema["items"] !== undefined) keysOf(schema["items"] as JsonSchema, `${path}[]`, found);
  for (const branch of (schema["anyOf"] ?? []) as readonly JsonSchema[]) keysOf(branch, path, found);
  return found;
}

/** Every schema inside a schema. */
function* partsOf(schema: JsonSchema): Generator<JsonSchema> {
  yield schema;
  for (const part of Object.values((schema["properties"] ?? {}) as Record<string, JsonSchema>)) yield* partsOf(part);
  for (const part of (schema["anyOf"] ?? []) as readonly JsonSchema[]) yield* partsOf(part);
  for (const key of ["items", "additionalProperties", "propertyNames"]) {
    const part = schema[key];
    if (typeof part === "object" && part !== null) yield* partsOf(part as JsonSchema);
  }
}

type Keys = Record<string, Record<string, PublicKey>>;
if (update) {
  const old = existsSync(join(directory, "keys.json")) ? (read("keys.json") as Keys) : {};
  for (const [name, schema] of Object.entries(schemas)) write(`${name}.json`, schema);
  write(
    "keys.json",
    Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, { ...keysOf(schema), ...old[name] }])),
  );
}

describe.each(Object.entries(schemas))("the schema of %s", (name, schema) => {
  const promised = (read("keys.json") as Keys)[name] ?? {};

  test("is the reviewed one", () => {
    expect(schema).toEqual(read(`${name}.json`) as JsonSchema);
    // The order of keys is for people, and part of what they see.
    expect(JSON.stringify(schema)).toBe(JSON.stringify(read(`${name}.json`)));
  });

  test("has every key that it ever had, with every value it could have", () => {
    const keys = keysOf(schema);
    for (const [path, { required, values }] of Object.entries(promised)) {
      expect(Object.keys(keys), `${path} is gone`).toContain(path);
      // What Rauha writes stays there; what it reads does not become a must.
      if (name === "policy") expect(keys[path]?.required, path).toBe(required);
      else if (required) expect(keys[path]?.required, path).toBe(true);
      for (const value of values ?? []) expect(keys[path]?.values ?? [], path).toContain(value);
    }
    expect(Object.keys(keys).filter((path) => !Object.hasOwn(promised, path))).toEqual([]);
  });

  test("says what it is, and what each key means", () => {
    expect(schema["$schema"]).toBe("https://json-schema.org/draft/2020-12/schema");
    expect(schema["$id"]).toMatch(/^urn:rauha:schema:[a-z-]+:v1$/);
    for (const part of partsOf(schema)) {
      for (const [key, property] of Object.entries((part["properties"] ?? {}) as Record<string, JsonSchema>)) {
        expect(typeof property["description"], key).toBe("string");
      }
    }
  });

  test("has nothing of the library that made it", () => {
    expect(JSON.stringify(schema)).not.toMatch(/zod|"~standard"|"def"|9007199254740991|"\$defs"|__schema/);
    for (const part of partsOf(schema)) {
      const known =
        /^(\$schema|\$id|title|description|type|enum|const|pattern|format|minimum|maximum|properties|required|additionalProperties|propertyNames|items|anyOf|examples)$/;
      expect(Object.keys(part).filter((key) => !known.test(key))).toEqual([]);
    }
  });
});
