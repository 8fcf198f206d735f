import { attribute, joinBytes, nest, textAttribute, u32Network } from "../attributes.ts";
import { messageFlag, type NetlinkMessage } from "../message.ts";
import { type Expression, type Verdict, verdictData } from "./expression.ts";

/** Tables, chains, rules and sets of nftables: linux/netfilter/nf_tables.h. Everything in one batch takes effect at once, or nothing. */

const subsystem = 10;
const type = {
  newTable: 0,
  deleteTable: 2,
  newChain: 3,
  deleteChain: 5,
  newRule: 6,
  deleteRule: 8,
  newSet: 9,
  deleteSet: 11,
  newElement: 12,
  deleteElement: 14,
} as const;
const batchBegin = 0x10;
const batchEnd = 0x11;

/** NFPROTO_*. `inet` is IPv4 and IPv6; `netdev` is all that one device receives. */
export const family = { inet: 1, ip: 2, netdev: 5, bridge: 7, ip6: 10 } as const;
export type Family = keyof typeof family;

const hooks = { ingress: 0, prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const policies = { drop: 0, accept: 1 } as const;

export interface Table {
  readonly family: Family;
  readonly name: string;
}

/** What makes a chain one that the kernel calls by itself. */
export interface Hook {
  readonly type: "filter" | "nat" | "route";
  readonly hook: keyof typeof hooks;
  /** -300 raw, -150 mangle, -100 dstnat, 0 filter, 100 srcnat: lower is earlier. */
  readonly priority: number;
  /** What happens to a packet at the end of the chain. A drop is final; after an accept other tables still decide. */
  readonly policy: keyof typeof policies;
  /** For family netdev: the device. The chain goes with it. */
  readonly device?: string;
}

/** The messages as one transaction, between the marks of its begin and end. */
export function transaction(messages: readonly NetlinkMessage[]): NetlinkMessage[] {
  const mark = (kind: number): NetlinkMessage => ({ type: kind, flags: 0, body: header(0, subsystem) });
  return [mark(batchBegin), ...messages, mark(batchEnd)];
}

/** Makes a table, if there is none of the name. */
export function addTable(table: Table): NetlinkMessage {
  return message(table, type.newTable, messageFlag.create, [textAttribute(1, table.name)]);
}

/** Takes a table away with all in it; ENOENT if there is none. */
export function deleteTable(table: Table): NetlinkMessage {
  return message(table, type.deleteTable, 0, [textAttribute(1, table.name)]);
}

/** Makes a chain, if there is none of the name; with a hook, one that the kernel calls. */
export function addChain(table: Table, name: string, hook?: Hook): NetlinkMessage {
  return message(table, type.newChain, messageFlag.create, chainFields(table, name, hook));
}

/** Takes a chain away with its rules; EBUSY while a rule jumps to it. */
export function deleteChain(table: Table, name: string): NetlinkMessage {
  return message(table, type.deleteChain, 0, chainFields(table, name, undefined));
}

function chainFields(table: Table, name: string, hook: Hook | undefined): Uint8Array[] {
  const names = [textAttribute(1, table.name), textAttribute(3, name)];
  if (hook === undefined) return names;
  const device = hook.device === undefined ? [] : [textAttribute(3, hook.device)];
  return [
    ...names,
    nest(4, [u32Network(1, hooks[hook.hook]), u32Network(2, hook.priority >>> 0), ...device]),
    u32Network(5, policies[hook.policy]),
    textAttribute(7, hook.type),
  ];
}

/** Adds a rule at the end of a chain: its expressions are carried out in order, until one does not match. */
export function addRule(table: Table, chain: string, expressions: readonly Expression[]): NetlinkMessage {
  const rule = nest(4, expressions);
  const flags = messageFlag.create | messageFlag.append;
  return message(table, type.newRule, flags, [textAttribute(1, table.name), textAttribute(2, chain), rule]);
}

/** Takes all rules out of a chain. */
export function flushChain(table: Table, chain: string): NetlinkMessage {
  return message(table, type.deleteRule, 0, [textAttribute(1, table.name), textAttribute(2, chain)]);
}

/** Types of the keys of sets, by the numbers of nft(8). A list is a key of several parts, each filled up to four bytes. */
const keyTypes = {
  ipv4: [7, 4],
  ipv6: [8, 16],
  mac: [9, 8],
  protocol: [12, 4],
  port: [13, 4],
  device: [41, 16],
} as const;
export type KeyType = keyof typeof keyTypes;
const verdictType = 0xffff_ff00;
const isMap = 8;

export interface SetOfKeys {
  readonly name: string;
  readonly key: readonly KeyType[];
  /** Gives a verdict for each key, for `verdictOf`. */
  readonly verdicts?: boolean;
}

/** Makes a set or a map, if there is none of the name. Of names of devices nft(8) wants to be told that they are in the machine's order. */
export function addSet(table: Table, { name, key, verdicts }: SetOfKeys): NetlinkMessage {
  const keyType = key.reduce((all, one) => (all << 6) | keyTypes[one][0], 0);
  const map = verdicts === true ? [u32Network(6, verdictType), u32Network(7, 0)] : [];
  return message(table, type.newSet, messageFlag.create, [
    textAttribute(1, table.name),
    textAttribute(2, name),
    u32Network(3, verdicts === true ? isMap : 0),
    u32Network(4, keyType),
    u32Network(
      5,
      key.length === 1 ? exactLength(key[0] as KeyType) : key.reduce((sum, one) => sum + keyTypes[one][1], 0),
    ),
    ...map,
    ...(key.includes("device") ? [attribute(13, new Uint8Array([0, 4, 1, 0, 0, 0]))] : []),
    // The number by which other messages of the batch may call the set; the kernel wants one.
    u32Network(10, 1),
  ]);
}

/** A single key is as long as what it is; only in a list it is filled up. */
function exactLength(key: KeyType): number {
  return { ipv4: 4, ipv6: 16, mac: 6, protocol: 1, port: 2, device: 16 }[key];
}

/** An element of a set: the parts of its key, and in a map its verdict. */
export interface Element {
  readonly key: readonly Uint8Array[];
  readonly verdict?: Verdict;
}

/** Puts elements into a set or map; EEXIST in a map whose element has another verdict. */
export function addElements(table: Table, set: string, elements: readonly Element[]): NetlinkMessage {
  return message(table, type.newElement, messageFlag.create, elementFields(table, set, elements));
}

/** Takes elements out; ENOENT if one is not there. */
export function deleteElements(table: Table, set: string, elements: readonly Element[]): NetlinkMessage {
  return message(table, type.deleteElement, 0, elementFields(table, set, elements));
}

/** Takes all elements out. */
export function flushSet(table: Table, set: string): NetlinkMessage {
  return message(table, type.deleteElement, 0, [textAttribute(1, table.name), textAttribute(2, set)]);
}

function elementFields(table: Table, set: string, elements: readonly Element[]): Uint8Array[] {
  const list = elements.map(({ key, verdict }) =>
    nest(1, [
      nest(1, [attribute(1, keyBytes(key))]),
      ...(verdict === undefined ? [] : [nest(2, [verdictData(verdict)])]),
    ]),
  );
  return [textAttribute(1, table.name), textAttribute(2, set), nest(3, list)];
}

function keyBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  return joinBytes(parts.map((part) => joinBytes([part, new Uint8Array(-part.length & 3)])));
}

function message(table: Table, kind: number, flags: number, fields: readonly Uint8Array[]): NetlinkMessage {
  return {
    type: (subsystem << 8) | kind,
    flags: flags | messageFlag.acknowledge,
    body: joinBytes([header(family[table.family], 0), ...fields]),
  };
}

/** struct nfgenmsg. */
function header(of: number, resource: number): Uint8Array {
  return new Uint8Array([of, 0, resource >> 8, resource & 0xff]);
}
