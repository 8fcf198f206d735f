import type { Address } from "../../policy/address.ts";
import { attribute, nest, portBytes, textAttribute, u8, u32Bytes, u32Network, u64Network } from "../attributes.ts";

/**
 * The expressions that a rule is made of, one by one as the kernel has them: loads into a register, comparisons of it, statements.
 * linux/netfilter/nf_tables.h. What people mean by a rule is in match.ts.
 */

/** One expression, encoded. */
export type Expression = Uint8Array;

/** The one register for values that Rauha's rules need; 16 bytes, so an IPv6 address fits. */
const register = 1;
const verdictRegister = 0;

const metaKeys = {
  protocol: 1,
  mark: 3,
  iifname: 6,
  oifname: 7,
  skuid: 10,
  nfproto: 15,
  l4proto: 16,
  pkttype: 19,
} as const;
const ctKeys = { state: 0, direction: 1, status: 2, mark: 3 } as const;
const bases = { link: 0, network: 1, transport: 2 } as const;
const comparisons = { "==": 0, "!=": 1, "<": 2, "<=": 3, ">": 4, ">=": 5 } as const;
const rangeTests = { "==": 0, "!=": 1 } as const;

function expression(name: string, fields: readonly Uint8Array[]): Expression {
  return nest(1, [textAttribute(1, name), nest(2, fields)]);
}

/** What the kernel knows about the packet. `mark`, `skuid`: machine's order; names of devices: 16 bytes, zeros after the name. */
export function loadMeta(key: keyof typeof metaKeys): Expression {
  return expression("meta", [u32Network(1, register), u32Network(2, metaKeys[key])]);
}

/** What connection tracking knows: `direction` is u8; `state`, `status` and `mark` are u32 in the machine's order. */
export function loadConnection(key: keyof typeof ctKeys): Expression {
  return expression("ct", [u32Network(1, register), u32Network(2, ctKeys[key])]);
}

/** Bytes of the packet, from a header on. */
export function loadPayload(base: keyof typeof bases, offset: number, length: number, into = register): Expression {
  const fields = [u32Network(1, into), u32Network(2, bases[base]), u32Network(3, offset), u32Network(4, length)];
  return expression("payload", fields);
}

/** The kind of the packet's destination as routing sees it, RTN_*: 1 unicast, 2 local, 3 broadcast. u32, machine's order. */
export function loadDestinationKind(): Expression {
  const addressType = 3;
  const ofDestination = 2;
  return expression("fib", [u32Network(1, register), u32Network(2, addressType), u32Network(3, ofDestination)]);
}

/** Goes on if what is in the register compares so. */
export function compare(how: keyof typeof comparisons, value: Uint8Array): Expression {
  return expression("cmp", [u32Network(1, register), u32Network(2, comparisons[how]), nest(3, [attribute(1, value)])]);
}

/** Goes on if what is in the register lies between the two, or else (`!=`) if it does not. */
export function compareRange(how: keyof typeof rangeTests, first: Uint8Array, last: Uint8Array): Expression {
  return expression("range", [
    u32Network(1, register),
    u32Network(2, rangeTests[how]),
    nest(3, [attribute(1, first)]),
    nest(4, [attribute(1, last)]),
  ]);
}

/** Keeps the bits of the mask. */
export function keepBits(mask: Uint8Array): Expression {
  return expression("bitwise", [
    u32Network(1, register),
    u32Network(2, register),
    u32Network(3, mask.length),
    nest(4, [attribute(1, mask)]),
    nest(5, [attribute(1, new Uint8Array(mask.length))]),
  ]);
}

/** Goes on if what is in the register is a key of the set. */
export function isInSet(set: string): Expression {
  return expression("lookup", [textAttribute(1, set), u32Network(2, register)]);
}

/** Carries out the verdict that the map has for what is in the register; goes on if it has none. */
export function verdictOf(map: string): Expression {
  return expression("lookup", [textAttribute(1, map), u32Network(2, register), u32Network(3, verdictRegister)]);
}

export type Verdict = "accept" | "drop" | "return" | { readonly jump: string } | { readonly goto: string };

const verdicts = { drop: 0, accept: 1, jump: -3, goto: -4, return: -5 } as const;

/** NFTA_DATA_VERDICT, of an immediate or of an element of a map. */
export function verdictData(verdict: Verdict): Uint8Array {
  if (typeof verdict === "string") return nest(2, [u32Network(1, verdicts[verdict] >>> 0)]);
  const [code, chain] = "jump" in verdict ? [verdicts.jump, verdict.jump] : [verdicts.goto, verdict.goto];
  return nest(2, [u32Network(1, code >>> 0), textAttribute(2, chain)]);
}

/** Ends the rule with a verdict. */
export function decide(verdict: Verdict): Expression {
  return expression("immediate", [u32Network(1, verdictRegister), nest(2, [verdictData(verdict)])]);
}

/** Drops and tells the sender: a TCP reset, only for TCP; or an ICMP error, whose code is that of the family. */
export function reject(
  how: "reset" | { readonly family: "ip" | "ip6" | "inet"; readonly why: "port" | "prohibited" },
): Expression {
  if (how === "reset") return expression("reject", [u32Network(1, 1), u8(2, 0)]);
  const codes = { ip: { port: 3, prohibited: 13 }, ip6: { port: 4, prohibited: 1 }, inet: { port: 1, prohibited: 3 } };
  return expression("reject", [u32Network(1, how.family === "inet" ? 2 : 0), u8(2, codes[how.family][how.why])]);
}

/** Counts packets and bytes; goes on. */
export function count(): Expression {
  return expression("counter", [u64Network(1, 0n), u64Network(2, 0n)]);
}

/** Gives the connection, or the packet, a mark. */
export function setMark(of: "connection" | "packet", mark: number): Expression[] {
  const [name, key] = of === "connection" ? (["ct", ctKeys.mark] as const) : (["meta", metaKeys.mark] as const);
  // The source register has another number in the two.
  const source = of === "connection" ? 4 : 3;
  return [load(u32Bytes(mark)), expression(name, [u32Network(2, key), u32Network(source, register)])];
}

/** Sends the connection to a port of this machine (to 127.0.0.1 in a chain of hook output). For TCP and UDP, in a nat chain. */
export function redirectTo(port: number): Expression[] {
  return [load(portBytes(port)), expression("redir", [u32Network(1, register)])];
}

/** Gives the connection the address of the device by which it leaves as source. In a nat chain of hook postrouting. */
export function masquerade(): Expression {
  return expression("masq", []);
}

/** Sends the connection to another address and port. For TCP and UDP, in a nat chain of hook prerouting or output. */
export function sendTo(address: Address, port: number): Expression[] {
  const portRegister = 2;
  const ipFamily = address.length === 4 ? 2 : 10;
  const toDestination = 1;
  return [
    load(new Uint8Array(address)),
    load(portBytes(port), portRegister),
    expression("nat", [
      u32Network(1, toDestination),
      u32Network(2, ipFamily),
      u32Network(3, register),
      u32Network(5, portRegister),
    ]),
  ];
}

function load(value: Uint8Array, into = register): Expression {
  return expression("immediate", [u32Network(1, into), nest(2, [attribute(1, value)])]);
}

/** Sends the packet to whoever listens to the log group, with its first bytes; goes on. */
export function logTo(group: number): Expression {
  return expression("log", [attribute(1, portBytes(group))]);
}

/** Goes on for so many packets a second, and this many more at once. */
export function atMost(perSecond: number, burst: number): Expression {
  const seconds = 1n;
  return expression("limit", [
    u64Network(1, BigInt(perSecond)),
    u64Network(2, seconds),
    u32Network(3, burst),
    u32Network(4, 0),
  ]);
}
