import { hostName } from "./host-name.ts";

/** What a TLS client says of itself in the clear, as far as it has come. RFC 8446, 4.1.2; RFC 6066, 3. */
export type ClientHello =
  | { readonly state: "more" }
  | { readonly state: "wrong"; readonly why: string }
  | {
      readonly state: "whole";
      /** The server name, lower case; undefined where the client names none. */
      readonly name: string | undefined;
      /** The real name is encrypted, and `name` is only that of the front (RFC 9849). */
      readonly encrypted: boolean;
    };

const handshakeRecord = 22;
const clientHello = 1;
const serverName = 0;
const encryptedClientHello = 0xfe0d;
/** A record carries at most 2^14 bytes of plain text. */
const recordMax = 1 << 14;

/** Whether these first bytes may be the beginning of TLS: a handshake record of version 3.x. One byte suffices for a no. */
export function looksLikeTls(bytes: Uint8Array): boolean {
  return bytes[0] === handshakeRecord && (bytes.length < 2 || bytes[1] === 3);
}

/** Reads a ClientHello from the first bytes of a connection; it may come in many records, and records in many pieces. */
export function readClientHello(bytes: Uint8Array): ClientHello {
  const message = joinRecords(bytes);
  if (typeof message === "string") return { state: "wrong", why: message };
  const { data, complete } = message;
  if (data.length > 0 && data[0] !== clientHello)
    return { state: "wrong", why: "the handshake begins with no ClientHello" };
  if (data.length < 4) return { state: complete ? "more" : "more" };
  const length = uint(data, 1, 3);
  if (data.length < 4 + length) return { state: "more" };
  return readBody(data.subarray(4, 4 + length));
}

/** The handshake bytes of as many records as there are. */
function joinRecords(bytes: Uint8Array): { readonly data: Uint8Array; readonly complete: boolean } | string {
  const pieces: Uint8Array[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    const length = uint(bytes, at + 3, 2);
    if (bytes[at] !== handshakeRecord) return "another record stands inside the ClientHello";
    if (bytes[at + 1] !== 3) return "the record's version is not TLS";
    if (length === 0 || length > recordMax) return "a record's length is out of range";
    pieces.push(bytes.subarray(at + 5, Math.min(bytes.length, at + 5 + length)));
    at += 5 + length;
  }
  if (pieces.length === 1 && pieces[0] !== undefined) return { data: pieces[0], complete: at <= bytes.length };
  const data = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    data.set(piece, end);
    end += piece.length;
  }
  return { data, complete: at <= bytes.length };
}

/** Legacy version, random, session, cipher suites, compression; then the extensions. */
function readBody(body: Uint8Array): ClientHello {
  const bad = (why: string): ClientHello => ({ state: "wrong", why: `the ClientHello is malformed: ${why}` });
  let at = 34;
  for (const size of [1, 2, 1]) {
    if (at + size > body.length) return bad("it ends early");
    at += size + uint(body, at, size);
  }
  if (at === body.length) return { state: "whole", name: undefined, encrypted: false };
  if (at + 2 > body.length || at + 2 + uint(body, at, 2) !== body.length) return bad("the extensions' length is wrong");
  at += 2;
  let name: string | undefined;
  let encrypted = false;
  const seen = new Set<number>();
  while (at < body.length) {
    if (at + 4 > body.length) return bad("an extension ends early");
    const kind = uint(body, at, 2);
    const end = at + 4 + uint(body, at + 2, 2);
    if (end > body.length) return bad("an extension ends early");
    // Of two, a server might take the one that we don't.
    if (seen.has(kind)) return bad("an extension stands twice");
    seen.add(kind);
    if (kind === encryptedClientHello) encrypted = true;
    if (kind === serverName) {
      const read = readServerName(body.subarray(at + 4, end));
      if (read === undefined) return bad("the server name is no host name");
      name = read;
    }
    at = end;
  }
  return { state: "whole", name, encrypted };
}

/** A list of exactly one name, of type host_name: what every client sends, and nothing that two readers could read differently. */
function readServerName(list: Uint8Array): string | undefined {
  if (list.length < 5 || uint(list, 0, 2) !== list.length - 2) return undefined;
  if (list[2] !== 0 || uint(list, 3, 2) !== list.length - 5) return undefined;
  return hostName(list.subarray(5));
}

function uint(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}
