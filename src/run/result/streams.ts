/** A captured stream as the result carries it: text when it is UTF-8, its exact bytes in base64 besides when it is not. */
export interface StreamText {
  readonly text: string;
  readonly base64: string | undefined;
}

/** Joins the captured pieces and decodes them without losing a byte. */
export function decodeStream(pieces: readonly Uint8Array[], truncated: boolean): StreamText {
  if (pieces.length === 0) return { text: "", base64: undefined };
  const bytes = joinPieces(pieces);
  // A cap may cut the last character in two: that is truncation, not an encoding that needs base64.
  const whole = truncated ? bytes.subarray(0, bytes.length - cutCharacterBytes(bytes)) : bytes;
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(whole), base64: undefined };
  } catch {
    return { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), base64: bytes.toBase64() };
  }
}

function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** How many bytes at the end begin a UTF-8 character that is not complete. */
function cutCharacterBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}
