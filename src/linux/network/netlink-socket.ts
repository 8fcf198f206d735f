import { decodeAnswers, type NetlinkAnswer } from "../../run/netlink/answer.ts";
import { encodeMessages, expectedAnswers, type NetlinkMessage, type netlinkFamily } from "../../run/netlink/message.ts";
import { addressOf, closeFd, systemCall } from "../ffi.ts";
import { call, failure } from "../system-calls.ts";

/** Messages to the kernel and its answers, over a socket in the network namespace of the calling thread. netlink(7). */

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
/** A dump gives at most 32 KiB at once; answers to a long batch come one by one. */
const answerBytes = 1 << 16;

/** The kernel said no: to which message, with its own words where it has any. */
export class NetlinkError extends Error {
  override readonly name = "NetlinkError";
  readonly errno: number;
  /** Index of the message, or -1 if it is none in particular. */
  readonly index: number;

  constructor(errno: number, index: number, text: string) {
    super(text);
    this.errno = errno;
    this.index = index;
  }
}

/** A netlink(7) socket: requests out, answers and errors in. Throws a NetlinkError. */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  #sequence = 1;

  /** Throws a NetlinkError if the kernel has no such socket for us. */
  constructor(family: (typeof netlinkFamily)[keyof typeof netlinkFamily]) {
    this.#fd = systemCall(call.socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
    if (this.#fd < 0) throw new NetlinkError(-this.#fd, -1, "socket(AF_NETLINK)");
    const on = new Int32Array([1]);
    // Kernels before 4.12 have no explanations: the error number is there anyway.
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK])
      systemCall(call.setsockopt, this.#fd, SOL_NETLINK, option, addressOf(on), 4);
  }

  /** Sends the messages at once and waits for every answer. Throws a NetlinkError for the first that failed. */
  send(messages: readonly NetlinkMessage[]): void {
    const first = this.#write(messages);
    let left = expectedAnswers(messages);
    let failed: NetlinkError | undefined;
    while (left > 0) {
      for (const answer of this.#read()) {
        if (answer.kind !== "result" || answer.sequence < first) continue;
        left -= 1;
        if (answer.errno !== 0) failed ??= new NetlinkError(answer.errno, answer.sequence - first, answer.text);
      }
      // A transaction that fails is answered in one go: what failed, and what came before it.
      if (failed !== undefined) break;
    }
    if (failed !== undefined) throw failed;
  }

  /** Sends a get: the items that the kernel answers with. */
  ask(message: NetlinkMessage): Extract<NetlinkAnswer, { kind: "item" }>[] {
    const first = this.#write([message]);
    const items: Extract<NetlinkAnswer, { kind: "item" }>[] = [];
    const isDump = (message.flags & 0x300) === 0x300;
    for (;;) {
      for (const answer of this.#read()) {
        if (answer.sequence !== first) continue;
        if (answer.kind === "item") items.push(answer);
        else if (answer.errno !== 0)
          throw new NetlinkError(answer.errno, 0, answer.kind === "result" ? answer.text : "");
        else return items;
      }
      if (!isDump && items.length > 0) return items;
    }
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }

  #write(messages: readonly NetlinkMessage[]): number {
    const first = this.#sequence;
    this.#sequence += messages.length;
    const bytes = encodeMessages(messages, first);
    const sent = systemCall(call.sendto, this.#fd, addressOf(bytes), bytes.length);
    if (sent !== bytes.length) throw new NetlinkError(sent < 0 ? -sent : failure.EAGAIN, -1, "send to netlink");
    return first;
  }

  #read(): NetlinkAnswer[] {
    const buffer = new Uint8Array(answerBytes);
    for (;;) {
      const got = systemCall(call.recvfrom, this.#fd, addressOf(buffer), buffer.length);
      if (got === -failure.EINTR) continue;
      if (got < 0) throw new NetlinkError(-got, -1, "receive from netlink");
      return decodeAnswers(buffer.subarray(0, got));
    }
  }
}
