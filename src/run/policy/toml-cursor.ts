/**
 * A place in a TOML text and the steps over what TOML is made of. Nothing here judges: the text has been through the
 * TOML parser, and what is malformed all the same ends a step early (`undefined`) instead of throwing.
 */
export interface TomlCursor {
  readonly text: string;
  at: number;
}

/** One segment of a dotted key, with the offset of its first character. */
export interface KeySegment {
  readonly name: string;
  readonly at: number;
}

/** Over spaces and tabs. */
export function skipSpace(cursor: TomlCursor): void {
  while (cursor.text[cursor.at] === " " || cursor.text[cursor.at] === "\t") cursor.at++;
}

/** Over spaces, line ends and comments. */
export function skipVoid(cursor: TomlCursor): void {
  for (;;) {
    skipSpace(cursor);
    const char = cursor.text[cursor.at];
    if (char === "#") skipLine(cursor);
    else if (char === "\n" || char === "\r") cursor.at++;
    else return;
  }
}

/** To the end of the line, which stays unread. */
export function skipLine(cursor: TomlCursor): void {
  const end = cursor.text.indexOf("\n", cursor.at);
  cursor.at = end < 0 ? cursor.text.length : end;
}

/** Over one character, if it is the one that stands here. */
export function take(cursor: TomlCursor, char: string): boolean {
  if (cursor.text[cursor.at] !== char) return false;
  cursor.at++;
  return true;
}

/** Over a string of any of the four kinds; false if it has no end. */
export function skipString(cursor: TomlCursor): boolean {
  const { text } = cursor;
  const quote = text[cursor.at] ?? "";
  const multiline = text.startsWith(quote.repeat(3), cursor.at);
  const close = multiline ? quote.repeat(3) : quote;
  cursor.at += close.length;
  while (cursor.at < text.length) {
    if (text.startsWith(close, cursor.at)) {
      cursor.at += close.length;
      // Up to two quotes before the closing three belong to the string.
      for (let extra = 0; multiline && extra < 2 && text[cursor.at] === quote; extra++) cursor.at++;
      return true;
    }
    if (!multiline && text[cursor.at] === "\n") return false;
    cursor.at += quote === '"' && text[cursor.at] === "\\" ? 2 : 1;
  }
  // A backslash, or fewer quotes than open it, may stand last in the text.
  cursor.at = text.length;
  return false;
}

/** A dotted key, up to what follows it. */
export function readKey(cursor: TomlCursor): KeySegment[] | undefined {
  const segments: KeySegment[] = [];
  do {
    skipSpace(cursor);
    const at = cursor.at;
    const quote = cursor.text[at];
    if (quote === '"' || quote === "'") {
      if (!skipString(cursor)) return undefined;
      const raw = cursor.text.slice(at + 1, cursor.at - 1);
      segments.push({ name: quote === '"' ? decodeBasic(raw) : raw, at });
    } else {
      while (/[A-Za-z0-9_-]/.test(cursor.text[cursor.at] ?? "")) cursor.at++;
      if (cursor.at === at) return undefined;
      segments.push({ name: cursor.text.slice(at, cursor.at), at });
    }
    skipSpace(cursor);
  } while (take(cursor, "."));
  return segments;
}

const escapes: Readonly<Record<string, string>> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", e: "\x1b" };

function decodeBasic(raw: string): string {
  return raw.replace(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|x([\da-fA-F]{2})|(.))/g, (_, u4, u8, u2, char: string) => {
    const hex: string | undefined = u4 ?? u8 ?? u2;
    if (hex === undefined) return escapes[char] ?? char;
    const code = Number.parseInt(hex, 16);
    return code > 0x10ffff ? "" : String.fromCodePoint(code);
  });
}
