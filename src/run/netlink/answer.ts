import { readAttributes } from "./attributes.ts";

/** What the kernel says to a message; netlink(7), and linux/netlink.h for the extended acknowledgement. */
export type NetlinkAnswer =
  /** All went well (`errno` 0), or nothing of this message took effect. `sequence` is that of the message. */
  | {
      readonly kind: "result";
      readonly sequence: number;
      readonly errno: number;
      /** The kernel's own words, where it has any (NETLINK_EXT_ACK). */
      readonly text: string;
      /** Where in the message, in bytes from its header, the attribute is that the kernel does not like. */
      readonly offset: number | undefined;
    }
  /** One of what a get or a dump asked for. */
  | { readonly kind: "item"; readonly sequence: number; readonly type: number; readonly body: Uint8Array }
  /** The end of a dump. `errno` is not 0 if it broke off. */
  | { readonly kind: "done"; readonly sequence: number; readonly errno: number };

/** An answer that breaks the format. */
export class NetlinkDecodeError extends Error {
  override readonly name = "NetlinkDecodeError";
}

const type = { noop: 1, error: 2, done: 3 } as const;
const headerBytes = 16;
/** NLM_F_CAPPED: of the message that the answer is about, only the header follows. */
const capped = 0x100;
/** NLM_F_ACK_TLVS: attributes follow. */
const explained = 0x200;
const explanation = { text: 1, offset: 2 } as const;

const decoder = new TextDecoder();

/** The answers in what one recv(2) gave. */
export function decodeAnswers(bytes: Uint8Array): NetlinkAnswer[] {
  const answers: NetlinkAnswer[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    if (at + headerBytes > bytes.length) throw new NetlinkDecodeError("a netlink answer ends within its header");
    const length = view.getUint32(at, true);
    if (length < headerBytes || at + length > bytes.length)
      throw new NetlinkDecodeError(`a netlink answer claims ${length} bytes and has ${bytes.length - at}`);
    const answer = decodeAnswer(bytes.subarray(at, at + length));
    if (answer !== undefined) answers.push(answer);
    at += (length + 3) & ~3;
  }
  return answers;
}

function decodeAnswer(bytes: Uint8Array): NetlinkAnswer | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = view.getUint16(4, true);
  const sequence = view.getUint32(8, true);
  const body = bytes.subarray(headerBytes);
  if (kind === type.noop) return undefined;
  if (kind === type.done)
    return { kind: "done", sequence, errno: body.length >= 4 ? -view.getInt32(headerBytes, true) | 0 : 0 };
  if (kind !== type.error) return { kind: "item", sequence, type: kind, body };
  if (body.length < 4) throw new NetlinkDecodeError("a netlink result has no error number");
  const errno = -view.getInt32(headerBytes, true) | 0;
  return { kind: "result", sequence, errno, ...explain(bytes, errno) };
}

/** What follows the error number: the message that it is about, then the kernel's explanation. */
function explain(bytes: Uint8Array, errno: number): { readonly text: string; readonly offset: number | undefined } {
  const none = { text: "", offset: undefined };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(6, true);
  const original = headerBytes + 4;
  if ((flags & explained) === 0 || original + headerBytes > bytes.length) return none;
  const whole = errno !== 0 && (flags & capped) === 0;
  const from = original + (whole ? (view.getUint32(original, true) + 3) & ~3 : headerBytes);
  if (from > bytes.length) return none;
  const attributes = readAttributes(bytes.subarray(from));
  const text = attributes?.get(explanation.text);
  const offset = attributes?.get(explanation.offset);
  return {
    text: text === undefined ? "" : decoder.decode(text).replace(/\0.*$/s, ""),
    offset:
      offset === undefined || offset.length !== 4
        ? undefined
        : new DataView(offset.buffer, offset.byteOffset, 4).getUint32(0, true),
  };
}
