/**
 * Tables as the hot path takes them: a record of records whose entries are made when they are asked for.
 *
 * A start uses one or two of sixty options, one of five policies, half of the plan's ops; making all of them anew takes a third of a
 * millisecond each time. The sources stay plain tables: this rewrites a module of data when it is bundled (hot-bundle.ts).
 */
import { BuildError } from "./build-error.ts";

/** The code of a module with the same exports: data, and nothing that is computed. `imports` are its exports by name. */
export function lazyModule(name: string, exports: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(exports).map(([key, value]) => `export const ${key} = ${lazyTable(name, value)};`);
  return `${lines.join("\n")}\n`;
}

function lazyTable(name: string, value: unknown): string {
  if (!isRecord(value) || !Object.values(value).every(isRecord)) return literal(name, value);
  const getters = Object.entries(value).map(
    ([key, entry]) => `get ${JSON.stringify(key)}() { return ${literal(name, entry)}; }`,
  );
  return `{ ${getters.join(", ")} }`;
}

function literal(name: string, value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(name, item)).join(", ")}]`;
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${literal(name, item)}`);
    return `{ ${entries.join(", ")} }`;
  }
  if (typeof value === "bigint") return `${value}n`;
  if (value === undefined) return "undefined";
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return JSON.stringify(value);
  throw new BuildError(
    `${name}: a table of data has a ${typeof value} in it; leave it out of scripts/build/hot-bundle.ts`,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
