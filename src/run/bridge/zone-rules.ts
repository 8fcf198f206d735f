import { portBytes } from "../netlink/attributes.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import * as nft from "../netlink/nftables/batch.ts";
import { decide, type Expression, sendTo } from "../netlink/nftables/expression.ts";
import * as when from "../netlink/nftables/match.ts";
import type { Address } from "../policy/address.ts";
import type { Endpoint } from "../policy/endpoint.ts";
import { chains, maps } from "./base.ts";
import { frameTable, packetTable, type ZonePlace } from "./names.ts";
import { isEverywhere, type PublishedPort } from "./publish.ts";
import { isSpecial } from "./special.ts";

/** What the policy lets one zone do on the network. */
export interface ZoneRules {
  /** By which others name it in `allowed_zones`. */
  readonly name: string;
  readonly allowedZones: readonly string[];
  /** Where it may connect to. IPv4. */
  readonly egress: readonly Endpoint[];
  /** Who may connect to it, and to which of its ports. IPv4. */
  readonly ingress: readonly Endpoint[];
  /** Where it may ask for names. IPv4. */
  readonly resolvers: readonly Address[];
  /** Ports of the host that lead to it. */
  readonly publish: readonly PublishedPort[];
}

/** What of a zone's rules has to be known to take them away. */
export type ZoneTraces = Pick<ZoneRules, "resolvers" | "publish">;

const bytes = (address: Address): Uint8Array => new Uint8Array(address);
const outChain = ({ text }: ZonePlace): string => `from-${text}`;
const inChain = ({ text }: ZonePlace): string => `to-${text}`;
const publishChain = ({ text }: ZonePlace): string => `publish-${text}`;

/**
 * The zone's own chains, and what makes the kernel call them. Both drop what no rule of theirs accepts. Every packet in the
 * direction of the connection is held against the rules, not only the first: a connection that someone else opened with this
 * address before gives the zone no way out.
 */
export function addZoneRules(place: ZonePlace, rules: ZoneRules): NetlinkMessage[] {
  const [named, general] = [rules.egress.filter(isSpecial), rules.egress.filter((entry) => !isSpecial(entry))];
  const out = [
    ...named.flatMap((entry) => accepts("destination", entry)),
    [decide({ jump: chains.special })],
    ...general.flatMap((entry) => accepts("destination", entry)),
    [decide({ goto: chains.refuse })],
  ];
  const published = rules.publish.map(({ zonePort }) => [
    ...when.wasSentHere(),
    ...when.protocol("tcp"),
    ...when.port("destination", [zonePort, zonePort]),
    decide("accept"),
  ]);
  const into = [
    ...published,
    ...rules.ingress.flatMap((entry) => accepts("source", entry)),
    [decide({ goto: chains.refuse })],
  ];
  const chain = (name: string, list: readonly (readonly Expression[])[]): NetlinkMessage[] => [
    nft.addChain(packetTable, name),
    ...list.map((rule) => nft.addRule(packetTable, name, rule)),
  ];
  const sent = rules.publish.map((port) => [
    ...(isEverywhere(port) ? [] : when.address("destination", { address: port.address, prefix: 32 })),
    ...when.protocol("tcp"),
    ...when.port("destination", [port.port, port.port]),
    ...sendTo(place.address, port.zonePort),
  ]);
  return [
    ...chain(outChain(place), out),
    ...chain(inChain(place), into),
    ...chain(publishChain(place), sent),
    ...elementsOf(place, rules).map(([set, elements]) => nft.addElements(packetTable, set, elements)),
  ];
}

/**
 * Takes all of it away, whether it is there or not: each thing is made first, if it is missing, so that no part of the transaction
 * can fail for a thing that an invocation did not live to make.
 */
export function removeZoneRules(place: ZonePlace, traces: ZoneTraces): NetlinkMessage[] {
  const own = [outChain(place), inChain(place), publishChain(place)];
  const elements = elementsOf(place, traces);
  return [
    ...own.map((name) => nft.addChain(packetTable, name)),
    ...elements.map(([set, list]) => nft.addElements(packetTable, set, list)),
    ...elements.map(([set, list]) => nft.deleteElements(packetTable, set, list)),
    ...own.flatMap((name) => [nft.flushChain(packetTable, name), nft.deleteChain(packetTable, name)]),
  ];
}

/** The zone's elements in the sets and maps that all zones share. */
function elementsOf(place: ZonePlace, { resolvers, publish }: ZoneTraces): (readonly [string, nft.Element[]])[] {
  const key = [bytes(place.address)];
  const verdict = { jump: publishChain(place) };
  const [everywhere, somewhere] = [publish.filter(isEverywhere), publish.filter((port) => !isEverywhere(port))];
  const all: (readonly [string, nft.Element[]])[] = [
    [maps.fromZone, [{ key, verdict: { jump: outChain(place) } }]],
    [maps.toZone, [{ key, verdict: { jump: inChain(place) } }]],
    [maps.resolvers, resolvers.map((resolver) => ({ key: [...key, bytes(resolver)] }))],
    [maps.published, somewhere.map((one) => ({ key: [bytes(one.address), portBytes(one.port)], verdict }))],
    [maps.publishedEverywhere, everywhere.map((one) => ({ key: [portBytes(one.port)], verdict }))],
  ];
  return all.filter(([, elements]) => elements.length > 0);
}

/** TCP and UDP to the ports; all of them, `*`, are ICMP's echo as well. */
function accepts(which: "source" | "destination", entry: Endpoint): Expression[][] {
  const [first, last] = entry.ports;
  const everything = first === 0 && last === 0xffff;
  const address = when.address(which, entry);
  const accept = decide("accept");
  return [
    ...(["tcp", "udp"] as const).map((of) => [
      ...address,
      ...when.protocol(of),
      ...when.port("destination", entry.ports),
      accept,
    ]),
    ...(everything ? [[...address, ...when.protocol("icmp"), ...when.icmpType(8), accept]] : []),
  ];
}

/** Which zones may open connections to which: both must list each other. */
export function zonePairs(
  zones: readonly { readonly place: ZonePlace; readonly rules: Pick<ZoneRules, "name" | "allowedZones"> }[],
): NetlinkMessage[] {
  const lists = (one: (typeof zones)[number], other: (typeof zones)[number]): boolean =>
    one.rules.allowedZones.includes(other.rules.name);
  const pairs = zones.flatMap((one) =>
    zones
      .filter((other) => other !== one && lists(one, other) && lists(other, one))
      .map((other) => ({ key: [bytes(one.place.address), bytes(other.place.address)] })),
  );
  const sized: nft.Element[][] = [];
  // A message can't hold more than 64 KiB of elements.
  for (let at = 0; at < pairs.length; at += 512) sized.push(pairs.slice(at, at + 512));
  return [
    nft.flushSet(packetTable, maps.pairs),
    ...sized.map((elements) => nft.addElements(packetTable, maps.pairs, elements)),
  ];
}

/** What the zone's end of its pair may send: IPv4 and ARP, from its own addresses. Nothing else, so no IPv6. */
export function addFrameRules({ device, mac, address }: ZonePlace): NetlinkMessage[] {
  const own = when.mac("source", mac);
  const accept = decide("accept");
  const ip = [...own, ...when.etherType("ip"), ...when.address("source", { address, prefix: 32 }), accept];
  const arp = [...own, ...when.etherType("arp"), ...when.arpSender(mac, address), accept];
  return [
    nft.addTable(frameTable),
    nft.addChain(frameTable, device, { type: "filter", hook: "ingress", priority: 0, policy: "drop", device }),
    nft.addRule(frameTable, device, ip),
    nft.addRule(frameTable, device, arp),
  ];
}

/** Takes them away; ENOENT if there are none. With the device the kernel takes them by itself, not every version of it. */
export function removeFrameRules({ device }: ZonePlace): NetlinkMessage[] {
  return [nft.flushChain(frameTable, device), nft.deleteChain(frameTable, device)];
}
