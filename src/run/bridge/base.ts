import type { NetlinkMessage } from "../netlink/message.ts";
import { messageFlag } from "../netlink/message.ts";
import * as nft from "../netlink/nftables/batch.ts";
import { decide, type Expression, isInSet, masquerade, reject, verdictOf } from "../netlink/nftables/expression.ts";
import * as when from "../netlink/nftables/match.ts";
import { bridgeName, gateway, packetTable, zonesNetwork } from "./names.ts";
import { specialNetworks } from "./special.ts";

/** What all bridged zones share in the packet filter: a table of our own, that leaves the rules of others alone. */

export const maps = {
  /** Zone's address: its chain for what it sends. */
  fromZone: "from_zone",
  /** Zone's address: its chain for what it is sent. */
  toZone: "to_zone",
  /** Zones that may open connections to each other. */
  pairs: "pairs",
  /** Zones and where they may ask for names. */
  resolvers: "resolvers",
  /** Addresses and ports of the host that lead to zones: the zone's chain that says where. */
  published: "published",
  /** Ports that do so on every address of the host's. */
  publishedEverywhere: "published_everywhere",
  /** Devices that forward only because of us. */
  switched: "switched",
} as const;

export const chains = { special: "special", refuse: "refuse" } as const;
const crossing = "crossing";
const toHost = "to_host";
const fromHost = "from_host";
const names = "names";
const neighbours = "neighbours";

const icmp = { unreachable: 3, redirect: 5, timeExceeded: 11 } as const;
const both = [when.loadAddress("source", "ip"), when.loadAddress("destination", "ip", 9)];
const fromBridge = when.device("iifname", bridgeName);
const toBridge = when.device("oifname", bridgeName);
const loopback = { address: [127, 0, 0, 0], prefix: 8 };
const refuse = decide({ goto: chains.refuse });
const accept = decide("accept");
const drop = decide("drop");

/** What belongs to a connection that was accepted: its answers, and errors about it. */
const belonging: readonly (readonly Expression[])[] = [
  [...when.connection("invalid"), drop],
  // A redirect would tell a zone of a way around the host.
  [...when.protocol("icmp"), ...when.icmpType(icmp.redirect), drop],
  [...when.protocol("icmp"), ...when.connection("related"), accept],
  // A reset of ours is related to what it refuses.
  [...when.isReply(), ...when.connection("established", "related"), accept],
];

/** To a published port, on one address or on all. */
const publishing: readonly (readonly Expression[])[] = [
  [
    ...when.protocol("tcp"),
    when.loadAddress("destination", "ip"),
    when.loadPort("destination", 9),
    verdictOf(maps.published),
  ],
  [...when.protocol("tcp"), ...when.isLocal(), when.loadPort("destination"), verdictOf(maps.publishedEverywhere)],
];

/** Rules by chain, in the order in which chains must be made: a rule can only jump to what is there. */
const content: readonly (readonly [chain: string, rules: readonly (readonly Expression[])[], hook?: nft.Hook])[] = [
  // A reset first: of ICMP the kernel sends few to one peer, and then a task would wait for its time-out.
  [chains.refuse, [[...when.protocol("tcp"), reject("reset")], [reject({ family: "ip", why: "prohibited" })]]],
  [chains.special, specialNetworks.map((network) => [...when.address("destination", network), refuse])],
  [names, (["udp", "tcp"] as const).map((of) => [...when.protocol(of), ...when.port("destination", [53, 53]), accept])],
  [
    crossing,
    [
      ...belonging,
      // From zone to zone: the bridge keeps its ports apart, so it is forwarded like anything else.
      [...fromBridge, ...toBridge, ...both, isInSet(maps.pairs), accept],
      [...fromBridge, ...toBridge, refuse],
      [...fromBridge, ...both, isInSet(maps.resolvers), decide({ jump: names })],
      [...fromBridge, when.loadAddress("source", "ip"), verdictOf(maps.fromZone)],
      [...toBridge, when.loadAddress("destination", "ip"), verdictOf(maps.toZone)],
      [drop],
    ],
  ],
  [toHost, [...belonging, [...both, isInSet(maps.resolvers), decide({ jump: names })], [refuse]]],
  [
    fromHost,
    [
      ...belonging,
      // Our own refusals: no connection was accepted that they could belong to.
      [...when.protocol("icmp"), ...when.icmpType(icmp.unreachable), accept],
      [...when.protocol("icmp"), ...when.icmpType(icmp.timeExceeded), accept],
      [when.loadAddress("destination", "ip"), verdictOf(maps.toZone)],
      [drop],
    ],
  ],
  [
    neighbours,
    [
      ...belonging,
      [...both, isInSet(maps.pairs), accept],
      // The host's own address is the business of `to_host`.
      [...when.address("destination", { address: gateway, prefix: 32 }), decide("return")],
      [refuse],
    ],
  ],
  // Before routing: there the kernel would offer the zone a redirect first, and after that it says nothing to it for a while.
  [
    "prerouting",
    [
      // Published on loopback, the bridge takes packets for it; no zone has any business there.
      [...fromBridge, ...when.address("destination", loopback), drop],
      [...fromBridge, ...when.address("destination", zonesNetwork), decide({ jump: neighbours })],
    ],
    { type: "filter", hook: "prerouting", priority: -150, policy: "accept" },
  ],
  [
    "forward",
    [
      [...fromBridge, decide({ jump: crossing })],
      [...toBridge, decide({ jump: crossing })],
      // What came in by a device that forwards for our sake goes to zones or nowhere: the host is no router because of us.
      [...when.loadDevice("iifname"), isInSet(maps.switched), drop],
    ],
    { type: "filter", hook: "forward", priority: 0, policy: "accept" },
  ],
  [
    "input",
    [[...fromBridge, decide({ jump: toHost })]],
    { type: "filter", hook: "input", priority: 0, policy: "accept" },
  ],
  [
    "output",
    [[...toBridge, decide({ jump: fromHost })]],
    { type: "filter", hook: "output", priority: 0, policy: "accept" },
  ],
  [
    "postrouting",
    [
      [...when.address("source", zonesNetwork), ...when.device("oifname", bridgeName, "!="), masquerade()],
      [...when.address("source", loopback), ...toBridge, masquerade()],
    ],
    { type: "nat", hook: "postrouting", priority: 100, policy: "accept" },
  ],
  [
    "published_in",
    publishing.map((rule) => [...when.device("iifname", bridgeName, "!="), ...rule]),
    { type: "nat", hook: "prerouting", priority: -100, policy: "accept" },
  ],
  ["published_out", publishing, { type: "nat", hook: "output", priority: -100, policy: "accept" }],
];

/** Makes the table with all that zones share; EEXIST if it is there, and then it is whole, since it was made in one transaction. */
export function addBase(): NetlinkMessage[] {
  const table = nft.addTable(packetTable);
  return [
    { ...table, flags: table.flags | messageFlag.exclusive },
    nft.addSet(packetTable, { name: maps.fromZone, key: ["ipv4"], verdicts: true }),
    nft.addSet(packetTable, { name: maps.toZone, key: ["ipv4"], verdicts: true }),
    nft.addSet(packetTable, { name: maps.pairs, key: ["ipv4", "ipv4"] }),
    nft.addSet(packetTable, { name: maps.resolvers, key: ["ipv4", "ipv4"] }),
    nft.addSet(packetTable, { name: maps.published, key: ["ipv4", "port"], verdicts: true }),
    nft.addSet(packetTable, { name: maps.publishedEverywhere, key: ["port"], verdicts: true }),
    nft.addSet(packetTable, { name: maps.switched, key: ["device"] }),
    ...content.flatMap(([chain, rules, hook]) => [
      nft.addChain(packetTable, chain, hook),
      ...rules.map((rule) => nft.addRule(packetTable, chain, rule)),
    ]),
  ];
}

/** Says that a device forwards only because of us. */
export function addSwitched(devices: readonly string[]): NetlinkMessage[] {
  const elements = devices.map((name) => ({ key: [when.deviceBytes(name)] }));
  return elements.length === 0 ? [] : [nft.addElements(packetTable, maps.switched, elements)];
}

/** Says that none does any more. */
export function releaseSwitched(): NetlinkMessage[] {
  return [nft.flushSet(packetTable, maps.switched)];
}

/** Takes a table away, whether it is there or not. */
export function removeTable(table: nft.Table): NetlinkMessage[] {
  return [nft.addTable(table), nft.deleteTable(table)];
}
