import { type Position, positionsOf } from "./locate.ts";

/** Policy text is small; what is larger is no policy. */
export const maxPolicyBytes = 64 * 1024;

/** The text, or where its bytes are none. */
export type DecodeOutcome =
  | { readonly ok: true; readonly text: string }
  | ({ readonly ok: false; readonly message: string; readonly hint?: string } & Position);

/** The text of a policy file's bytes: at most 64 KiB of UTF-8 without NUL bytes. */
export function decodePolicy(bytes: Uint8Array): DecodeOutcome {
  if (bytes.length > maxPolicyBytes) {
    const message = `the policy has ${bytes.length} bytes, more than ${maxPolicyBytes} (64 KiB)`;
    return { ok: false, message, line: 1, column: 1 };
  }
  const valid = validPrefix(bytes);
  const text = new TextDecoder().decode(bytes.subarray(0, valid));
  const nul = text.indexOf("\0");
  if (nul >= 0) {
    const place = positionsOf(text)(nul);
    return { ok: false, message: "a NUL byte in the text", hint: "is this a binary file, or UTF-16?", ...place };
  }
  if (valid < bytes.length) {
    const place = positionsOf(text)(text.length);
    const byte = `0x${bytes[valid]?.toString(16).padStart(2, "0")}`;
    return { ok: false, message: `the byte ${byte} is not UTF-8 here`, hint: "save the file as UTF-8", ...place };
  }
  return { ok: true, text };
}

/** Length of the longest prefix that is whole UTF-8 characters. */
function validPrefix(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return bytes.length;
  let low = 0;
  let high = bytes.length;
  // A valid prefix, cut anywhere, may end inside a character: "stream" takes that as valid still.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isUtf8(bytes.subarray(0, middle), true)) low = middle;
    else high = middle - 1;
  }
  while (low > 0 && !isUtf8(bytes.subarray(0, low))) low--;
  return low;
}

function isUtf8(bytes: Uint8Array, stream = false): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}
