/** Archives byte by byte: what tar programs write, and what none of them would. Names and contents are byte strings or bytes. */

export interface TarPart {
  readonly name: string;
  /** The type flag; `0` when absent. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  /** Records of an extended header in front. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** A GNU long name (`L`) or link (`K`) in front. */
  readonly longName?: string;
  readonly longLink?: string;
  /** Instead of the content's length, as the twelve bytes of the field. */
  readonly sizeField?: string;
  /** Changes the finished header, before (`true`: after) its checksum is written. */
  readonly patch?: (header: Uint8Array) => void;
  readonly patchAfterSum?: boolean;
  readonly magic?: string;
  readonly prefix?: string;
}

export const bytesOf = (text: string | Uint8Array): Uint8Array =>
  typeof text === "string" ? Uint8Array.from(text, (char) => char.charCodeAt(0)) : text;

/** A whole archive with its end. */
export function tarOf(parts: readonly TarPart[]): Uint8Array {
  return joinBytes([...parts.map(partBytes), new Uint8Array(1024)]);
}

/** An archive without its end. */
export function partBytes(part: TarPart): Uint8Array {
  const pieces: Uint8Array[] = [];
  if (part.longName !== undefined)
    pieces.push(entry({ name: "././@LongLink", type: "L", content: `${part.longName}\0` }));
  if (part.longLink !== undefined)
    pieces.push(entry({ name: "././@LongLink", type: "K", content: `${part.longLink}\0` }));
  if (part.pax !== undefined) pieces.push(entry({ name: "pax", type: "x", content: paxOf(part.pax) }));
  pieces.push(entry(part));
  return joinBytes(pieces);
}

function entry(part: TarPart): Uint8Array {
  const content = bytesOf(part.content ?? "");
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(bytesOf(text), at);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  put(0, part.name.slice(0, 100));
  put(100, octal(part.mode ?? 0o644, 8));
  put(108, octal(part.uid ?? 0, 8));
  put(116, octal(part.gid ?? 0, 8));
  put(124, part.sizeField ?? octal(content.length, 12));
  put(136, octal(part.mtime ?? 1_700_000_000, 12));
  put(156, part.type ?? "0");
  put(157, (part.link ?? "").slice(0, 100));
  put(257, part.magic ?? "ustar\0" + "00");
  put(345, part.prefix ?? "");
  if (part.patchAfterSum !== true) part.patch?.(header);
  header.fill(32, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  if (part.patchAfterSum === true) part.patch?.(header);
  return joinBytes([header, content, new Uint8Array((512 - (content.length % 512)) % 512)]);
}

/** Records of an extended header, each with its length in front. */
export function paxOf(records: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  return joinBytes(
    Object.entries(records).map(([key, value]) => {
      const rest = joinBytes([bytesOf(` ${key}=`), bytesOf(value), bytesOf("\n")]);
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return joinBytes([bytesOf(String(length)), rest]);
    }),
  );
}

export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
