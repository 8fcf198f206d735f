import type { Address } from "../policy/address.ts";
import { attribute, joinBytes, u32 } from "./attributes.ts";
import type { MacAddress } from "./link.ts";
import { messageFlag, type NetlinkMessage } from "./message.ts";

/** Addresses of devices, routes and neighbours: rtnetlink(7). Devices by number (if_nametoindex(3)); `lo` is always 1. */

const type = {
  newAddress: 20,
  deleteAddress: 21,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newNeighbour: 28,
  deleteNeighbour: 29,
} as const;
const addressField = { address: 1, local: 2 } as const;
const routeField = { destination: 1, device: 4, gateway: 5, source: 7 } as const;
const neighbourField = { address: 1, mac: 2 } as const;
const family = { ip: 2, ip6: 10, bridge: 7 } as const;
const mainTable = 254;
/** RTPROT_STATIC: by an administrator's hand. */
const byHand = 4;
const unicast = 1;
const scope = { global: 0, link: 253, host: 254 } as const;
/** RTNH_F_ONLINK: the gateway is on the link though no address of the device says so. */
const onLinkFlag = 4;
/** IFA_F_NODAD: usable at once. */
const withoutDetection = 0x02;
/** NUD_PERMANENT; of a bridge that would be an address of its own, and NUD_NOARP is one that is behind a port for good. */
const permanent = 0x80;
const fixed = 0x40;
/** NTF_MASTER: an entry of the bridge that the device is a port of. */
const ofMaster = 0x04;

/** An IPv4 or IPv6 address with the length of its network's prefix in bits. */
export interface Network {
  readonly address: Address;
  readonly prefix: number;
}

/** Gives a device an address; EEXIST if it has it. IPv6 without duplicate address detection, so that it can be used at once. */
export function addAddress(device: number, { address, prefix }: Network): NetlinkMessage {
  const flags = messageFlag.acknowledge | messageFlag.create | messageFlag.exclusive;
  return { type: type.newAddress, flags, body: addressBody(device, address, prefix) };
}

/** Takes an address from a device; EADDRNOTAVAIL if it has not got it. */
export function deleteAddress(device: number, { address, prefix }: Network): NetlinkMessage {
  return { type: type.deleteAddress, flags: messageFlag.acknowledge, body: addressBody(device, address, prefix) };
}

function addressBody(device: number, address: Address, prefix: number): Uint8Array {
  const isLoopback = address.length === 4 ? address[0] === 127 : address.join() === "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1";
  const header = new Uint8Array(8);
  header.set([familyOf(address), prefix, withoutDetection, isLoopback ? scope.host : scope.global]);
  new DataView(header.buffer).setUint32(4, device, true);
  const bytes = new Uint8Array(address);
  return joinBytes([header, attribute(addressField.local, bytes), attribute(addressField.address, bytes)]);
}

/** A route to be made, rtnetlink(7). */
export interface Route {
  /** Where to; `{ address: [0, 0, 0, 0], prefix: 0 }` is everywhere of IPv4. */
  readonly to: Network;
  readonly device: number;
  readonly gateway?: Address;
  /** Source address for what leaves by this route and has none. */
  readonly source?: Address;
  /** The gateway is on the link though no address of the device says so. */
  readonly onLink?: boolean;
}

/** Adds a route to the main table; EEXIST if there is one like it. */
export function addRoute(route: Route): NetlinkMessage {
  const flags = messageFlag.acknowledge | messageFlag.create | messageFlag.exclusive;
  return { type: type.newRoute, flags, body: routeBody(route) };
}

/** Takes a route from the main table; ESRCH if it is not there. */
export function deleteRoute(route: Route): NetlinkMessage {
  return { type: type.deleteRoute, flags: messageFlag.acknowledge, body: routeBody(route) };
}

/** Asks for all routes of one family. */
export function getRoutes(of: "ip" | "ip6"): NetlinkMessage {
  const body = new Uint8Array(12);
  body[0] = family[of];
  return { type: type.getRoute, flags: messageFlag.dump, body };
}

function routeBody({ to, device, gateway, source, onLink }: Route): Uint8Array {
  const header = new Uint8Array(12);
  const reach = gateway === undefined && to.address.length === 4 ? scope.link : scope.global;
  header.set([familyOf(to.address), to.prefix, 0, 0, mainTable, byHand, reach, unicast]);
  new DataView(header.buffer).setUint32(8, onLink === true ? onLinkFlag : 0, true);
  return joinBytes([
    header,
    ...(to.prefix === 0 ? [] : [attribute(routeField.destination, new Uint8Array(to.address))]),
    u32(routeField.device, device),
    ...(gateway === undefined ? [] : [attribute(routeField.gateway, new Uint8Array(gateway))]),
    ...(source === undefined ? [] : [attribute(routeField.source, new Uint8Array(source))]),
  ]);
}

/** Tells a device for good which hardware address an IP address of its link has. */
export function addNeighbour(device: number, address: Address, mac: MacAddress): NetlinkMessage {
  const fields = [
    attribute(neighbourField.address, new Uint8Array(address)),
    attribute(neighbourField.mac, new Uint8Array(mac)),
  ];
  return neighbour(familyOf(address), device, 0, fields);
}

/** Takes it back; ENOENT if the device has none for the address. */
export function deleteNeighbour(device: number, address: Address): NetlinkMessage {
  const fields = [attribute(neighbourField.address, new Uint8Array(address))];
  return {
    ...neighbour(familyOf(address), device, 0, fields),
    type: type.deleteNeighbour,
    flags: messageFlag.acknowledge,
  };
}

/** Tells a bridge for good that a hardware address is behind this port of its. */
export function addBridgeEntry(device: number, mac: MacAddress): NetlinkMessage {
  return neighbour(family.bridge, device, ofMaster, [attribute(neighbourField.mac, new Uint8Array(mac))]);
}

function neighbour(of: number, device: number, flags: number, fields: readonly Uint8Array[]): NetlinkMessage {
  const header = new Uint8Array(12);
  const view = new DataView(header.buffer);
  view.setUint8(0, of);
  view.setInt32(4, device, true);
  view.setUint16(8, of === family.bridge ? fixed : permanent, true);
  view.setUint8(10, flags);
  const create = messageFlag.acknowledge | messageFlag.create | messageFlag.replace;
  return { type: type.newNeighbour, flags: create, body: joinBytes([header, ...fields]) };
}

function familyOf(address: Address): number {
  return address.length === 4 ? family.ip : family.ip6;
}
