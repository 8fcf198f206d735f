import { addAddress, addBridgeEntry, addNeighbour, addRoute, type Network } from "../netlink/address.ts";
import { addBridge, addVethPair, setBridgePort, setLink } from "../netlink/link.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import { bridgeMac, bridgeName, gateway, type ZonePlace, zoneDevice, zonesNetwork } from "./names.ts";

/** Devices and addresses of the bridged network, in the order in which they are made. */

const everywhere: Network = { address: [0, 0, 0, 0], prefix: 0 };

/** The bridge, down. Its hardware address is set, since it would be another one with every zone that comes and goes. */
export function makeBridge(): NetlinkMessage[] {
  return [addBridge({ name: bridgeName, mac: bridgeMac })];
}

/** The bridge's address, and up it goes. */
export function startBridge(bridge: number): NetlinkMessage[] {
  return [addAddress(bridge, { ...zonesNetwork, address: gateway }), setLink(bridge, { up: true })];
}

/** The pair: one end on the host, down, a port of the bridge; the other one in the zone's namespace. */
export function makePair(place: ZonePlace, bridge: number, namespace: number): NetlinkMessage[] {
  const { device: name, mac } = place;
  return [addVethPair({ name, master: bridge }, { name: zoneDevice, mac, namespace: { fd: namespace } })];
}

/**
 * The host's end as a port: frames go to the host and to no other port, and where the zone is, is told and not learned. So a zone
 * has no neighbours, whatever it sends; and none that answers in another's place.
 */
export function startPort(place: ZonePlace, device: number, bridge: number, zoneId: string): NetlinkMessage[] {
  return [
    setBridgePort(device, { isolated: true, learning: false, unicastFlood: false, multicastFlood: false }),
    addBridgeEntry(device, place.mac),
    addNeighbour(bridge, place.address, place.mac),
    setLink(device, { up: true, alias: zoneId }),
  ];
}

/**
 * The zone's end, in the zone: its address alone, without a network around it, so that everything goes to the host, other zones too.
 */
export function startZone(place: ZonePlace, device: number): NetlinkMessage[] {
  return [
    addAddress(device, { address: place.address, prefix: 32 }),
    setLink(device, { up: true }),
    addNeighbour(device, gateway, bridgeMac),
    addRoute({ to: everywhere, device, gateway, onLink: true }),
  ];
}
