/**
 * JSON with places: RFC 8259 read strictly, knowing the line of every value, keeping integers exact (arguments of system calls
 * have 64 bits) and refusing what JSON.parse passes over in silence, a key that is there twice.
 */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export type JsonText =
  | { readonly ok: true; readonly value: JsonValue; readonly lines: ReadonlyMap<string, number> }
  | { readonly ok: false; readonly message: string; readonly line: number; readonly column: number };

const MAX_DEPTH = 32;

/** `lines` has the line, from 1, of each value by its JSON pointer. */
export function readJsonText(text: string): JsonText {
  const reader = new Reader(text);
  try {
    return { ok: true, value: reader.document(), lines: reader.lines };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const before = text.slice(0, error.at).split("\n");
    return { ok: false, message: error.message, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
}

/** One step of a JSON pointer, RFC 6901. */
export function pointerStep(key: string | number): string {
  return `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

class Malformed extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

class Reader {
  readonly lines = new Map<string, number>();
  readonly #text: string;
  #at = 0;
  /** The line at `#counted`: lines are counted once, forward. */
  #line = 1;
  #counted = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    const value = this.#value("", 0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#expected("the end of the file");
    return value;
  }

  #value(pointer: string, depth: number): JsonValue {
    this.#space();
    this.lines.set(pointer, this.#lineHere());
    if (depth > MAX_DEPTH) throw new Malformed(`nested deeper than ${MAX_DEPTH} levels`, this.#at);
    if (this.#take("{")) return this.#object(pointer, depth);
    if (this.#take("[")) return this.#array(pointer, depth);
    if (this.#text[this.#at] === '"') return this.#string();
    const word = this.#match(/true|false|null/y);
    if (word !== undefined) return word === "null" ? null : word === "true";
    return this.#number();
  }

  #object(pointer: string, depth: number): JsonValue {
    const object: Record<string, JsonValue> = Object.create(null);
    this.#space();
    if (this.#take("}")) return object;
    do {
      this.#space();
      const start = this.#at;
      const key = this.#string();
      if (key in object) throw new Malformed(`the key ${JSON.stringify(key)} is there twice`, start);
      this.#space();
      if (!this.#take(":")) throw this.#expected('":"');
      object[key] = this.#value(pointer + pointerStep(key), depth + 1);
      this.#space();
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#expected('"," or "}"');
    return object;
  }

  #array(pointer: string, depth: number): JsonValue {
    const list: JsonValue[] = [];
    this.#space();
    if (this.#take("]")) return list;
    do {
      list.push(this.#value(pointer + pointerStep(list.length), depth + 1));
      this.#space();
    } while (this.#take(","));
    if (!this.#take("]")) throw this.#expected('"," or "]"');
    return list;
  }

  #string(): string {
    const start = this.#at;
    const quoted = this.#match(/"[^"\\]*(?:\\.[^"\\]*)*"/sy);
    if (quoted === undefined) throw this.#expected("a string");
    try {
      return String(JSON.parse(quoted));
    } catch {
      throw new Malformed("a string with a control character or a bad escape", start);
    }
  }

  #number(): number | bigint {
    const digits = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (digits === undefined) throw this.#expected("a value");
    const number = Number(digits);
    return /^-?\d+$/.test(digits) && !Number.isSafeInteger(number) ? BigInt(digits) : number;
  }

  #space(): void {
    this.#match(/[ \t\r\n]*/y);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #lineHere(): number {
    for (; this.#counted < this.#at; this.#counted++) if (this.#text[this.#counted] === "\n") this.#line += 1;
    return this.#line;
  }

  #expected(what: string): Malformed {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : "the end of the file";
    return new Malformed(`${what} is expected, not ${found}`, this.#at);
  }
}
