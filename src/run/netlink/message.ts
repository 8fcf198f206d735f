import { joinBytes } from "./attributes.ts";

/** A message to the kernel as data: nlmsghdr's type and flags (netlink(7)), and all that follows the header. */
export interface NetlinkMessage {
  readonly type: number;
  /** `messageFlag`s besides `request`, which is always set. */
  readonly flags: number;
  readonly body: Uint8Array;
}

/** NLM_F_*. */
export const messageFlag = {
  request: 0x1,
  /** Wants an answer, also when all went well. */
  acknowledge: 0x4,
  /** For a get: all there are. */
  dump: 0x300,
  /** For a new: fails with EEXIST if there is one already. */
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  replace: 0x100,
} as const;

/** Families of sockets: `socket(AF_NETLINK, SOCK_RAW, …)`. */
export const netlinkFamily = { route: 0, netfilter: 12 } as const;

const headerBytes = 16;

/**
 * The messages as bytes for one send(2), numbered from `sequence` on in their order. The kernel answers those with
 * `acknowledge`, and any that fails, with an answer of that number: see `decodeAnswers`.
 */
export function encodeMessages(messages: readonly NetlinkMessage[], sequence: number): Uint8Array {
  return joinBytes(messages.map((message, index) => encodeMessage(message, sequence + index)));
}

function encodeMessage({ type, flags, body }: NetlinkMessage, sequence: number): Uint8Array {
  const length = headerBytes + body.length;
  const bytes = new Uint8Array((length + 3) & ~3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags | messageFlag.request, true);
  view.setUint32(8, sequence, true);
  // The sender's port stays 0: the kernel puts in that of the socket.
  bytes.set(body, headerBytes);
  return bytes;
}

/** How many answers the kernel gives if all goes well. */
export function expectedAnswers(messages: readonly NetlinkMessage[]): number {
  return messages.filter(({ flags }) => (flags & messageFlag.acknowledge) !== 0).length;
}
