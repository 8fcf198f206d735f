import { makePair, startPort, startZone } from "../../run/bridge/links.ts";
import { bridgeName, type ZonePlace, zoneDevice } from "../../run/bridge/names.ts";
import { isOnLoopback, reachesLoopback } from "../../run/bridge/publish.ts";
import {
  addFrameRules,
  addZoneRules,
  removeFrameRules,
  removeZoneRules,
  type ZoneRules,
  type ZoneTraces,
  zonePairs,
} from "../../run/bridge/zone-rules.ts";
import { deleteNeighbour, type Network } from "../../run/netlink/address.ts";
import { closeFd } from "../ffi.ts";
import { NetworkFailure } from "./failure.ts";
import { hostRoutes, switchForwarding } from "./forwarding.ts";
import { ensureBase, removeBase } from "./host-bridge.ts";
import { changeLinks, changeRules, findLink, refusal, removeLink } from "./kernel.ts";
import { inNamespace, isOwnNamespace, openZoneNamespace } from "./namespace.ts";
import { claimAddress, findRecords, type HeldRecord, releaseAddress, withNetworkLock } from "./records.ts";
import { reservePort } from "./reserve-port.ts";
import { deviceSetting, readSetting, writeSetting } from "./sysctl.ts";

/** A zone's connection to the bridge: made whole or not at all, and taken away whole, by this invocation or by the next. */

/** A zone that is connected, with what has to be undone. */
export interface Connection extends HeldRecord {
  readonly traces: ZoneTraces;
  /** Sockets that keep the host's published ports from everyone else. */
  readonly ports: readonly number[];
}

const everywhere: Network = { address: [0, 0, 0, 0], prefix: 0 };

/** Connects the namespace of a zone's init. Throws a NetworkFailure; then nothing of it is left. */
export function connectZone(pid: number, zoneId: string, rules: ZoneRules): Connection {
  const namespace = openZoneNamespace(pid);
  const ports: number[] = [];
  let isConnected = false;
  try {
    if (isOwnNamespace(namespace))
      throw new NetworkFailure("connect", 0, "the zone is in the host's network namespace");
    return withNetworkLock((numbers) => {
      sweep();
      for (const port of rules.publish) ports.push(reservePort(port));
      const { name, allowedZones, resolvers, publish } = rules;
      const held = claimAddress(numbers, { zoneId, name, allowedZones, resolvers, publish });
      try {
        connect(held.place, namespace, zoneId, rules);
      } catch (error) {
        undo(held.place, rules);
        releaseAddress(held);
        leave();
        throw error;
      }
      isConnected = true;
      return { ...held, traces: { resolvers, publish }, ports };
    });
  } finally {
    closeFd(namespace);
    if (!isConnected) for (const fd of ports) closeFd(fd);
  }
}

/** Takes the zone's connection away, and with the last one all that zones share. */
export function disconnectZone(connection: Connection): void {
  withNetworkLock(() => {
    undo(connection.place, connection.traces);
    for (const fd of connection.ports) closeFd(fd);
    releaseAddress(connection);
    sweep();
    leave();
  });
}

/** After a zone has gone: the pairs that it was one of go too, before its address is another's; with the last one everything goes. */
function leave(): void {
  if (findRecords().living.length === 0) removeBase();
  else changeRules("set which zones may talk", pairs());
}

function connect(place: ZonePlace, namespace: number, zoneId: string, rules: ZoneRules): void {
  const routes = hostRoutes();
  const bridge = ensureBase(routes);
  const reached: Network[] = [
    ...rules.egress,
    ...rules.ingress,
    ...rules.resolvers.map((address) => ({ address, prefix: 32 })),
    ...rules.publish.filter((port) => !isOnLoopback(port)).map(() => everywhere),
  ];
  switchForwarding(routes, reached);
  if (rules.publish.some(reachesLoopback)) writeSetting(deviceSetting("ipv4", bridgeName, "route_localnet"), "1");
  changeLinks("make the zone's device", makePair(place, bridge, namespace));
  const device = findLink(place.device);
  if (device === undefined) throw new NetworkFailure("make the zone's device", 0, `${place.device} is gone again`);
  disableIpv6(place.device);
  // Rules before the device is up: not one packet passes without them.
  changeRules("set the rules of the zone's device", addFrameRules(place));
  changeRules("set the zone's rules", [...addZoneRules(place, rules), ...pairs()]);
  inNamespace(namespace, () => {
    const own = findLink(zoneDevice);
    if (own === undefined)
      throw new NetworkFailure("set up the zone's device", 0, `there is no ${zoneDevice} in the zone`);
    disableIpv6(zoneDevice);
    changeLinks("set up the zone's device", startZone(place, own.index));
  });
  changeLinks("connect the zone's device", startPort(place, device.index, bridge, zoneId));
}

function disableIpv6(device: string): void {
  const setting = deviceSetting("ipv6", device, "disable_ipv6");
  if (readSetting(setting) !== undefined) writeSetting(setting, "1");
}

/** Undoes what invocations left that were killed. */
function sweep(): void {
  for (const { place, record, fd } of findRecords().dead) {
    undo(place, record ?? { resolvers: [], publish: [] });
    releaseAddress({ place, fd });
  }
}

/** Each step takes away what is there: any of them may never have been made. */
function undo(place: ZonePlace, traces: ZoneTraces): void {
  removeLink(place.device);
  changeRules("remove the rules of the zone's device", removeFrameRules(place), refusal.missing);
  changeRules("remove the zone's rules", removeZoneRules(place, traces), refusal.missing);
  const bridge = findLink(bridgeName);
  const forget = "forget the zone's hardware address";
  if (bridge !== undefined) changeLinks(forget, [deleteNeighbour(bridge.index, place.address)], refusal.missing);
}

/** Who may talk to whom, now. */
function pairs() {
  const { living } = findRecords();
  return zonePairs(living.flatMap(({ place, record }) => (record === undefined ? [] : [{ place, rules: record }])));
}
