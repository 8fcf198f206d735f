/** What a value was read as, or what is wrong with it: `message` what and what was expected, `hint` how to fix it. */
export type Read<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Problem);

/** What is wrong with a value. */
export interface Problem {
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Reads one value of a policy: TOML data in, data in the kernel's units out. */
export type Form<T> = (value: unknown) => Read<T>;

/** A value that is right. */
export function read<T>(value: T): Read<T> {
  return { ok: true, value };
}

/** A value that is not, and why. */
export function wrong(message: string, hint?: string): Read<never> {
  return { ok: false, message, hint };
}

/** `"4Gb" is not a size: expected …`. */
export function unexpected(value: unknown, expected: string, hint?: string): Read<never> {
  return wrong(`expected ${expected}, found ${describeValue(value)}`, hint);
}

/** A value in words, short enough for a line. */
export function describeValue(value: unknown): string {
  // As TOML writes them.
  if (typeof value === "number" && !Number.isFinite(value))
    return String(value).toLowerCase().replace("infinity", "inf");
  if (typeof value === "string") return quoteShort(value);
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (typeof value === "object" && value !== null) return "a table";
  return String(value);
}

/** A text in quotes; its middle is left out where it is long. */
export function quoteShort(text: string): string {
  const chars = text.slice(0, 400);
  return JSON.stringify(text.length <= 80 ? text : `${chars.slice(0, 60)}… (${text.length} characters)`);
}

/** Reads text by `parse`, which has text and gives a value. */
export function textForm<T>(expected: string, parse: (text: string) => Read<T>): Form<T> {
  return (value) => (typeof value === "string" ? parse(value) : unexpected(value, expected));
}

export const booleanForm: Form<boolean> = (value) => {
  if (typeof value === "boolean") return read(value);
  const quoted = value === "true" || value === "false";
  return unexpected(value, "true or false", quoted ? "write it without quotes" : undefined);
};
