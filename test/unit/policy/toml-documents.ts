import type { Random } from "./random.ts";

/** Random TOML documents that use every piece of its syntax: keys, headers, arrays, tables, strings, comments and space. */
export function randomToml(random: Random): string {
  return new Writer(random).document();
}

const bareNames = ["a", "b", "c-d", "e_f", "9", "mode", "set"];
/** Names that look like syntax. */
const oddNames = ["x y", "a.b", "[k]", "#k", "=", "", 'q"q', "s's", "é", "\\", "]", "\t"];
const oddTexts = ["", "#", "[", "]", "{", "}", "=", ",", '"', "'", "\\", "\n", "é😀", "a = 1", "\t", "x"];
const scalars = [
  "1",
  "-0",
  "1_000",
  "0xff",
  "1.5",
  "-2e3",
  "inf",
  "nan",
  "true",
  "false",
  "1979-05-27",
  "1979-05-27T07:32:00Z",
  "1979-05-27 07:32:00.5",
  "07:32:00",
];

class Writer {
  readonly #random: Random;
  readonly #lineEnd: string;

  constructor(random: Random) {
    this.#random = random;
    this.#lineEnd = random.chance(0.2) ? "\r\n" : "\n";
  }

  document(): string {
    const random = this.#random;
    const mark = random.chance(0.05) ? "\ufeff" : "";
    const names = new Set<string>();
    const sections = random.list(4, () => {
      const header = this.#header(names);
      return header === undefined ? "" : `${header}${this.#body()}`;
    });
    return `${mark}${this.#blank()}${this.#body()}${sections.join("")}`;
  }

  /** A header of a name of its own, so that no table is opened twice. */
  #header(names: Set<string>): string | undefined {
    const random = this.#random;
    const name = `t${names.size}`;
    if (random.chance(0.2) && names.size > 0) {
      // One more of an array of tables, or a table below the newest.
      const last = [...names].at(-1) ?? name;
      if (last.endsWith("*")) {
        return random.chance(0.5) ? `[[${last.slice(0, -1)}]]${this.#end()}` : undefined;
      }
      return undefined;
    }
    const isArray = random.chance(0.25);
    names.add(isArray ? `${name}*` : name);
    const below = isArray || random.chance(0.6) ? "" : `${this.#space()}.${this.#space()}${this.#key(new Set())}`;
    const key = `${this.#space()}${name}${below}${this.#space()}`;
    return isArray ? `[[${key}]]${this.#end()}` : `[${key}]${this.#end()}`;
  }

  #body(): string {
    const names = new Set<string>();
    return this.#random.list(5, () => `${this.#space()}${this.#assignment(names, 0)}${this.#end()}`).join("");
  }

  #assignment(names: Set<string>, depth: number): string {
    const dotted = this.#random.chance(0.25) ? `${this.#space()}.${this.#space()}${this.#key(new Set())}` : "";
    return `${this.#key(names)}${dotted}${this.#space()}=${this.#space()}${this.#value(depth)}`;
  }

  /** A key that is not in `names` yet. */
  #key(names: Set<string>): string {
    const random = this.#random;
    for (;;) {
      const name = random.chance(0.6)
        ? random.pick(bareNames)
        : random.pick(oddNames) + (names.size > 8 ? random.int(0, 99) : "");
      if (names.has(name)) {
        names.add(`${name}${names.size}`);
        return `k${names.size}`;
      }
      names.add(name);
      if (/^[\w-]+$/.test(name) && random.chance(0.7)) return name;
      return !name.includes("'") && !name.includes("\t") && random.chance(0.5) ? `'${name}'` : this.#escaped(name);
    }
  }

  #value(depth: number): string {
    const random = this.#random;
    const kind = depth > 3 ? random.int(0, 3) : random.int(0, 6);
    if (kind === 0) return random.pick(scalars);
    if (kind <= 3) return this.#string();
    if (kind <= 5) {
      const items = random.list(4, () => `${this.#void()}${this.#value(depth + 1)}${this.#void()}`);
      const comma = items.length > 0 && random.chance(0.3) ? "," : "";
      return `[${items.join(",")}${comma}${this.#void()}]`;
    }
    const names = new Set<string>();
    const members = random.list(3, () => `${this.#space()}${this.#assignment(names, depth + 1)}${this.#space()}`);
    return `{${members.join(",")}${this.#space()}}`;
  }

  #string(): string {
    const random = this.#random;
    const text = random.list(4, () => random.pick(oddTexts)).join("");
    switch (random.int(0, 3)) {
      case 0:
        return /['\n]/.test(text) ? this.#escaped(text) : `'${text}'`;
      case 1:
        return /'|\n/.test(text)
          ? this.#escaped(text)
          : `'''${this.#lineEnd}${text}${this.#lineEnd}[x]${random.pick(["", "'", "''"])}'''`;
      case 2: {
        const inner = this.#escaped(text).slice(1, -1);
        return `"""${this.#lineEnd}${inner}${random.pick(["", `\\${this.#lineEnd}  `, '" ""'])}${this.#lineEnd}a = [${random.pick(["", '"', '""'])}"""`;
      }
      default:
        return this.#escaped(text);
    }
  }

  #escaped(text: string): string {
    const escaped = JSON.stringify(text);
    return this.#random.chance(0.2) ? escaped.replaceAll("a", "\\u0061").replaceAll("x", "\\U00000078") : escaped;
  }

  #space(): string {
    return this.#random.pick(["", "", " ", "  ", "\t"]);
  }

  /** Space inside brackets: line ends and comments too. */
  #void(): string {
    return this.#random.chance(0.2)
      ? `${this.#space()}# ], } "${this.#lineEnd}`
      : this.#random.pick(["", " ", this.#lineEnd]);
  }

  #blank(): string {
    return this.#random.chance(0.2) ? `# [not.a.table]${this.#lineEnd}${this.#lineEnd}` : "";
  }

  #end(): string {
    return `${this.#space()}${this.#random.chance(0.2) ? "# x = [1, '" : ""}${this.#lineEnd}${this.#blank()}`;
  }
}
