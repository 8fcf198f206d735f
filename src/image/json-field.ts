/**
 * Reading of JSON that others wrote, one field at a time: what isn't as the format says is refused with the place where it stands.
 * By hand rather than by a schema, since a warm start of an image reads its manifest and configuration on the way to the task.
 */
import { refuse } from "./image-error.ts";

/** The most that a manifest, an index or a configuration may have. */
export const maxDocumentBytes = 4 << 20;

/** A value with its place: `manifest sha256:…: layers[3].size`. */
export class JsonField {
  readonly value: unknown;
  readonly #document: string;
  readonly #path: string;

  constructor(document: string, value: unknown, path = "") {
    this.value = value;
    this.#document = document;
    this.#path = path;
  }

  /** Parses a whole document: UTF-8, at most 4 MiB, an object. */
  static parse(document: string, bytes: Uint8Array): JsonField {
    if (bytes.length > maxDocumentBytes) {
      refuse("invalid_image", `${document}: has ${bytes.length} bytes, more than ${maxDocumentBytes} (4 MiB)`);
    }
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      refuse("invalid_image", `${document}: is not JSON in UTF-8`);
    }
    const field = new JsonField(document, value);
    field.object();
    return field;
  }

  /** A member of an object; absent and null are the same. */
  get(name: string): JsonField {
    const object = this.object();
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    return new JsonField(this.#document, value ?? undefined, this.#path === "" ? name : `${this.#path}.${name}`);
  }

  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this.fail("an object");
    return value as Record<string, unknown>;
  }

  /** The elements of an array; none when it is absent. */
  list(most: number): JsonField[] {
    if (this.absent) return [];
    if (!Array.isArray(this.value)) return this.fail("an array");
    if (this.value.length > most) return this.fail(`at most ${most} elements`, `${this.value.length}`);
    return this.value.map((value: unknown, index) => new JsonField(this.#document, value, `${this.#path}[${index}]`));
  }

  text(most = 4096): string {
    if (typeof this.value !== "string") return this.fail("a text");
    if (this.value.length > most) return this.fail(`at most ${most} characters`, `${this.value.length}`);
    return this.value;
  }

  /** Undefined when absent or empty: writers of images use either for "none". */
  optionalText(most?: number): string | undefined {
    if (this.absent) return undefined;
    const text = this.text(most);
    return text === "" ? undefined : text;
  }

  texts(mostElements: number, mostCharacters: number): string[] {
    return this.list(mostElements).map((field) => field.text(mostCharacters));
  }

  /** An object whose values are texts; empty when absent. */
  textRecord(most: number): Readonly<Record<string, string>> {
    if (this.absent) return {};
    const names = Object.keys(this.object());
    if (names.length > most) return this.fail(`at most ${most} members`, `${names.length}`);
    return Object.fromEntries(names.map((name) => [name, this.get(name).text(1 << 16)]));
  }

  /** A whole number of bytes from 0 to 2^53-1. */
  size(): number {
    const { value } = this;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) return this.fail("a size in bytes");
    return value;
  }

  /** Refuses the document because of this field. */
  fail(expected: string, found: string = describe(this.value)): never {
    const place = this.#path === "" ? "" : `${this.#path}: `;
    refuse("invalid_image", `${this.#document}: ${place}expected ${expected}, found ${found}`);
  }
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
