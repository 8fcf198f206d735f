/** A validator of the part of JSON Schema that Rauha's schemas use; a keyword that it does not know is an error of the schema. */
export function violations(schema: unknown, value: unknown, path = "$"): string[] {
  const found: string[] = [];
  for (const [keyword, argument] of Object.entries(schema as Record<string, unknown>)) {
    const check = keywords[keyword];
    if (check === undefined) found.push(`${path}: the schema has an unknown keyword ${keyword}`);
    else found.push(...check(argument, value, path, schema as Record<string, unknown>));
  }
  return found;
}

type Keyword = (argument: unknown, value: unknown, path: string, schema: Record<string, unknown>) => string[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const failsWhen = (failed: boolean, message: string): string[] => (failed ? [message] : []);
const nothing: Keyword = () => [];

function typeOf(value: unknown): string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["array"];
  if (typeof value === "number") return Number.isInteger(value) ? ["integer", "number"] : ["number"];
  return [typeof value];
}

const keywords: Readonly<Record<string, Keyword>> = {
  $schema: nothing,
  $id: nothing,
  title: nothing,
  description: nothing,
  examples: (argument, _value, path, { examples: _, ...schema }) =>
    (argument as unknown[]).flatMap((example) => violations(schema, example, `${path} (example)`)),
  type: (argument, value, path) =>
    failsWhen(![argument].flat().some((type) => typeOf(value).includes(String(type))), `${path}: not ${argument}`),
  enum: (argument, value, path) =>
    failsWhen(!(argument as unknown[]).includes(value), `${path}: not one of ${argument}`),
  const: (argument, value, path) => failsWhen(value !== argument, `${path}: not ${argument}`),
  pattern: (argument, value, path) =>
    failsWhen(
      typeof value === "string" && !new RegExp(String(argument), "u").test(value),
      `${path}: does not match ${argument}`,
    ),
  format: (argument, value, path) =>
    failsWhen(
      argument !== "date-time" || (typeof value === "string" && Number.isNaN(Date.parse(value))),
      `${path}: no ${argument}`,
    ),
  minimum: (argument, value, path) =>
    failsWhen(typeof value === "number" && value < Number(argument), `${path}: less than ${argument}`),
  maximum: (argument, value, path) =>
    failsWhen(typeof value === "number" && value > Number(argument), `${path}: more than ${argument}`),
  required: (argument, value, path) =>
    isObject(value)
      ? (argument as string[]).filter((key) => !Object.hasOwn(value, key)).map((key) => `${path}: no ${key}`)
      : [],
  properties: (argument, value, path) => {
    if (!isObject(value)) return [];
    const known = Object.entries(argument as Record<string, unknown>).filter(([key]) => Object.hasOwn(value, key));
    return known.flatMap(([key, schema]) => violations(schema, value[key], `${path}.${key}`));
  },
  additionalProperties: (argument, value, path, schema) => {
    if (!isObject(value)) return [];
    const known = Object.keys((schema["properties"] ?? {}) as object);
    const others = Object.keys(value).filter((key) => !known.includes(key));
    if (argument === false) return others.map((key) => `${path}: unknown ${key}`);
    return others.flatMap((key) => violations(argument, value[key], `${path}.${key}`));
  },
  propertyNames: (argument, value, path) =>
    isObject(value) ? Object.keys(value).flatMap((key) => violations(argument, key, `${path} (name)`)) : [],
  items: (argument, value, path) =>
    Array.isArray(value) ? value.flatMap((item, index) => violations(argument, item, `${path}[${index}]`)) : [],
  anyOf: (argument, value, path) => {
    const branches = (argument as unknown[]).map((schema) => violations(schema, value, path));
    return branches.some((branch) => branch.length === 0) ? [] : [`${path}: none of ${branches.flat().join("; ")}`];
  },
};
