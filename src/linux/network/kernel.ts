import { deleteLink, getLink } from "../../run/netlink/link.ts";
import { type NetlinkMessage, netlinkFamily } from "../../run/netlink/message.ts";
import { transaction } from "../../run/netlink/nftables/batch.ts";
import { decodeLink, type FoundLink } from "../../run/netlink/read.ts";
import { NetworkFailure } from "./failure.ts";
import { NetlinkError, NetlinkSocket } from "./netlink-socket.ts";

/** What the bridged network asks of the kernel, each with words for when it refuses. */

/** ENOENT, ENODEV, EEXIST */
export const refusal = { missing: 2, noDevice: 19, exists: 17 } as const;

/** Sends messages to rtnetlink; `accept` is the errno that is as good as success. */
export function changeLinks(what: string, messages: readonly NetlinkMessage[], accept = 0): void {
  using socket = open(netlinkFamily.route, what);
  attempt(what, accept, () => socket.send(messages));
}

/** Sends one transaction to nftables; false if it was refused with the errno `accept`. */
export function changeRules(what: string, messages: readonly NetlinkMessage[], accept = 0): boolean {
  using socket = open(netlinkFamily.netfilter, what);
  return attempt(what, accept, () => socket.send(transaction(messages)));
}

/** All that a get of rtnetlink finds. */
export function askLinks(what: string, message: NetlinkMessage): Uint8Array[] {
  using socket = open(netlinkFamily.route, what);
  let bodies: Uint8Array[] = [];
  attempt(what, 0, () => {
    bodies = socket.ask(message).map(({ body }) => body);
  });
  return bodies;
}

/** The device of a name, or undefined. */
export function findLink(name: string): FoundLink | undefined {
  using socket = open(netlinkFamily.route, name);
  let found: FoundLink | undefined;
  attempt(`look for the device ${name}`, refusal.noDevice, () => {
    found = socket.ask(getLink(name)).map(({ body }) => decodeLink(body))[0];
  });
  return found;
}

/** Takes a device away, if it is there. */
export function removeLink(name: string): void {
  changeLinks(`remove the device ${name}`, [deleteLink(name)], refusal.noDevice);
}

function open(family: (typeof netlinkFamily)[keyof typeof netlinkFamily], what: string): NetlinkSocket {
  try {
    return new NetlinkSocket(family);
  } catch (error) {
    throw failureOf(what, error);
  }
}

function attempt(what: string, accept: number, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === accept) return false;
    throw failureOf(what, error);
  }
}

function failureOf(what: string, error: unknown): unknown {
  if (!(error instanceof NetlinkError)) return error;
  const at = error.index < 0 ? "" : `message ${error.index}`;
  return new NetworkFailure(what, error.errno, [at, error.message].filter((part) => part !== "").join(": "));
}
