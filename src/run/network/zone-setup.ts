import { addAddress, addRoute, type Network } from "../netlink/address.ts";
import { encodeMessages, type NetlinkMessage, netlinkFamily } from "../netlink/message.ts";
import { listenToLog } from "../netlink/nflog.ts";
import { addChain, addRule, addTable, transaction } from "../netlink/nftables/batch.ts";
import { atMost, count, decide, logTo, redirectTo, reject } from "../netlink/nftables/expression.ts";
import { address, connection, isLocal, port, protocol, version } from "../netlink/nftables/match.ts";
import type { PlanOp } from "../plan/contract.ts";
import type { Address } from "../policy/address.ts";
import type { Endpoint } from "../policy/endpoint.ts";
import type { gatewaySockets } from "./gateway/contract.ts";

/** Addresses of the zone's own, for its connections to come from: the dummy of RFC 7600, and a unique local one. */
const ownAddress4: Network = { address: [192, 0, 0, 8], prefix: 32 };
const ownAddress6: Network = {
  address: [0xfd, 0x72, 0x61, 0x75, 0x68, 0x61, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  prefix: 128,
};
const loopback4: Address = [127, 0, 0, 1];
const loopback6: Address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/**
 * Port of the gateway's sockets, of TCP and UDP alike. DNS has it anyway, and a task without CAP_NET_BIND_SERVICE can't take it.
 */
export const gatewayPort = 53;
const logGroup = 1;
/** Of a refused packet's bytes: the headers. */
const loggedBytes = 64;
/** `lo` in a network namespace of its own. */
const loopbackDevice = 1;
const stream = 1;
const datagram = 2;

/** What the zone's resolver configuration says: every name is asked for at the gateway. */
export const resolverFile = "nameserver 127.0.0.1\n";

/** The ops that give a zone's network namespace its only way out, each with its words; those that hand a socket to rauha name it. */
export interface SetupOp {
  readonly op: PlanOp;
  readonly intent: string;
  readonly socket?: (typeof gatewaySockets)[number];
}

/**
 * `ipv6`: whether the kernel has it; without it there is nothing to detour by. `egress`: what is allowed; of interest here is only
 * loopback, which is the zone's own but where it is listed: then it means the host's. `dialers`: how many sockets are to connect to
 * ports of the zone's, from outside; they come last.
 */
export function zoneSetup(ipv6: boolean, egress: readonly Endpoint[], dialers: number): SetupOp[] {
  const listen = (type: number, at: Address): PlanOp => ({
    op: "listen",
    type,
    port: gatewayPort,
    address: new Uint8Array(at),
  });
  const six: SetupOp[] = ipv6
    ? [
        { op: listen(stream, loopback6), intent: "gateway's socket for TCP by IPv6", socket: "tcp6" },
        { op: listen(datagram, loopback6), intent: "gateway's socket for DNS by IPv6", socket: "udp6" },
      ]
    : [];
  return [
    {
      op: netlink("route", addressing(ipv6)),
      intent: "an address and default routes, through the zone's own loopback",
    },
    {
      op: netlink("netfilter", rules(egress.filter(isLoopback))),
      intent: "TCP and DNS are sent to the gateway, everything else is rejected and told (nftables)",
    },
    { op: listen(stream, loopback4), intent: "gateway's socket for TCP", socket: "tcp4" },
    { op: listen(datagram, loopback4), intent: "gateway's socket for DNS", socket: "udp4" },
    {
      op: netlink("netfilter", [listenToLog(logGroup, loggedBytes)], 1),
      intent: "gateway's socket for what is rejected",
      socket: "notices",
    },
    ...six,
    ...(dialers === 0
      ? []
      : [{ op: { op: "dial", count: dialers } as const, intent: "ports of the host that lead to the zone" }]),
  ];
}

function isLoopback({ address: [first], prefix, address: { length } }: Endpoint): boolean {
  return length === 4 ? first === 127 && prefix >= 8 : prefix === 128 && first === 0;
}

function netlink(family: keyof typeof netlinkFamily, messages: readonly NetlinkMessage[], give = 0): PlanOp {
  return { op: "netlink", protocol: netlinkFamily[family], give, messages: encodeMessages(messages, 1) };
}

function addressing(ipv6: boolean): NetlinkMessage[] {
  return (ipv6 ? [ownAddress4, ownAddress6] : [ownAddress4]).flatMap((own) => {
    const everywhere: Network = { address: own.address.map(() => 0), prefix: 0 };
    return [addAddress(loopbackDevice, own), addRoute({ to: everywhere, device: loopbackDevice, source: own.address })];
  });
}

/**
 * What a program sends to the zone itself stays in the zone. Other TCP, and UDP to port 53, changes its destination before the filter
 * sees it; so all that the filter meets that is not for the zone is what may not go out.
 */
function rules(hosts: readonly Endpoint[]): NetlinkMessage[] {
  const table = { family: "inet", name: "rauha" } as const;
  const output = { hook: "output", policy: "accept" } as const;
  return transaction([
    addTable(table),
    addChain(table, "redirect", { ...output, type: "nat", priority: -100 }),
    ...hosts.map((endpoint) =>
      addRule(table, "redirect", [
        ...version(endpoint.address.length === 4 ? "ip" : "ip6"),
        ...address("destination", endpoint),
        ...protocol("tcp"),
        ...port("destination", endpoint.ports),
        ...redirectTo(gatewayPort),
      ]),
    ),
    addRule(table, "redirect", [...isLocal(), decide("accept")]),
    addRule(table, "redirect", [...protocol("tcp"), ...redirectTo(gatewayPort)]),
    addRule(table, "redirect", [...protocol("udp"), ...port("destination", [53, 53]), ...redirectTo(gatewayPort)]),
    addChain(table, "refuse", { ...output, type: "filter", priority: 0, policy: "drop" }),
    // Most packets: what was let through once need not be looked at again.
    addRule(table, "refuse", [...connection("established"), decide("accept")]),
    addRule(table, "refuse", [...isLocal(), decide("accept")]),
    addRule(table, "refuse", [atMost(200, 400), logTo(logGroup)]),
    addRule(table, "refuse", [count(), reject({ family: "inet", why: "prohibited" })]),
  ]);
}
