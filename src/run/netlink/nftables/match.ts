import { type Address, networkOf } from "../../policy/address.ts";
import type { Network } from "../address.ts";
import { portBytes, u32Bytes } from "../attributes.ts";
import type { MacAddress } from "../link.ts";
import {
  compare,
  compareRange,
  type Expression,
  keepBits,
  loadConnection,
  loadDestinationKind,
  loadMeta,
  loadPayload,
} from "./expression.ts";

/** What a rule can ask of a packet: each function gives the expressions that go on if it holds. */

const ethernet = { ip: 0x0800, arp: 0x0806, ip6: 0x86dd } as const;
const protocols = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;
const versions = { ip: 2, ip6: 10 } as const;
const states = { invalid: 1, established: 2, related: 4, new: 8, untracked: 0x40 } as const;

type Equality = "==" | "!=";

/** The device by which it came, or will leave. */
export function device(which: "iifname" | "oifname", name: string, how: Equality = "=="): Expression[] {
  return [loadMeta(which), compare(how, deviceBytes(name))];
}

/** The name of the device by which it came or will leave, for a set. */
export function loadDevice(which: "iifname" | "oifname"): Expression[] {
  return [loadMeta(which)];
}

/** The name of a device as the kernel compares it. */
export function deviceBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(16);
  new TextEncoder().encodeInto(name, bytes);
  return bytes;
}

/** The version of IP, in tables of family inet. Must come before any match of an address there. */
export function version(of: keyof typeof versions, how: Equality = "=="): Expression[] {
  return [loadMeta("nfproto"), compare(how, new Uint8Array([versions[of]]))];
}

/** The protocol above Ethernet, in tables of family netdev and bridge. Must come before any match of an address there. */
export function etherType(of: keyof typeof ethernet, how: Equality = "=="): Expression[] {
  return [loadMeta("protocol"), compare(how, portBytes(ethernet[of]))];
}

/** The protocol above IP. Must come before any match of a port. */
export function protocol(of: keyof typeof protocols, how: Equality = "=="): Expression[] {
  return [loadMeta("l4proto"), compare(how, new Uint8Array([protocols[of]]))];
}

/** A source or destination within a network. Of all addresses there is nothing to ask. */
export function address(
  which: "source" | "destination",
  { address: of, prefix }: Network,
  how: Equality = "==",
): Expression[] {
  if (prefix === 0 && how === "==") return [];
  const bits = of.length * 8;
  const mask = networkOf(new Array<number>(of.length).fill(0xff), prefix);
  const masked = prefix === bits ? [] : [keepBits(new Uint8Array(mask))];
  return [
    loadAddress(which, of.length === 4 ? "ip" : "ip6"),
    ...masked,
    compare(how, new Uint8Array(networkOf(of, prefix))),
  ];
}

/** Loads the address itself, for a set or map. */
export function loadAddress(which: "source" | "destination", of: "ip" | "ip6", into?: number): Expression {
  const [first, length] = of === "ip" ? [12, 4] : [8, 16];
  return loadPayload("network", which === "source" ? first : first + length, length, into);
}

/** A port of TCP or UDP, from the first to the last. Of all ports there is nothing to ask. */
export function port(
  which: "source" | "destination",
  [first, last]: readonly [number, number],
  how: Equality = "==",
): Expression[] {
  if (first === 0 && last === 0xffff && how === "==") return [];
  const load = loadPayload("transport", which === "source" ? 0 : 2, 2);
  return [load, first === last ? compare(how, portBytes(first)) : compareRange(how, portBytes(first), portBytes(last))];
}

/** Loads the port of TCP or UDP, for a set or map. */
export function loadPort(which: "source" | "destination", into?: number): Expression {
  return loadPayload("transport", which === "source" ? 0 : 2, 2, into);
}

/** The connection was sent here from another destination. */
export function wasSentHere(): Expression[] {
  const destinationChanged = u32Bytes(0x20);
  return [loadConnection("status"), keepBits(destinationChanged), compare("!=", u32Bytes(0))];
}

/** The connection is in one of these states. */
export function connection(...of: readonly (keyof typeof states)[]): Expression[] {
  const mask = of.reduce((bits, state) => bits | states[state], 0);
  return [loadConnection("state"), keepBits(u32Bytes(mask)), compare("!=", u32Bytes(0))];
}

/** The packet is an answer: it goes against the direction in which the connection was opened. */
export function isReply(): Expression[] {
  return [loadConnection("direction"), compare("==", new Uint8Array([1]))];
}

/** The mark of the connection or packet. */
export function mark(of: "connection" | "packet", value: number, how: Equality = "=="): Expression[] {
  return [of === "connection" ? loadConnection("mark") : loadMeta("mark"), compare(how, u32Bytes(value))];
}

/** The user who owns the socket, by the id in the initial user namespace. In chains of hook output. */
export function socketOwner(uid: number, how: Equality = "=="): Expression[] {
  return [loadMeta("skuid"), compare(how, u32Bytes(uid))];
}

/** The destination is an address of this machine. */
export function isLocal(how: Equality = "=="): Expression[] {
  return [loadDestinationKind(), compare(how, u32Bytes(2))];
}

/** Source or destination of the frame. In tables of family netdev and bridge. */
export function mac(which: "source" | "destination", of: MacAddress, how: Equality = "=="): Expression[] {
  return [loadPayload("link", which === "source" ? 6 : 0, 6), compare(how, new Uint8Array(of))];
}

/** Who an ARP packet says it is from. In tables of family netdev and bridge, after `etherType("arp")`. */
export function arpSender(hardware: MacAddress, of: Address): Expression[] {
  return [
    loadPayload("network", 8, 6),
    compare("==", new Uint8Array(hardware)),
    loadPayload("network", 14, 4),
    compare("==", new Uint8Array(of)),
  ];
}

/** The type of an ICMP message (of ICMPv6 after `protocol("icmp6")`). */
export function icmpType(of: number): Expression[] {
  return [loadPayload("transport", 0, 1), compare("==", new Uint8Array([of]))];
}
