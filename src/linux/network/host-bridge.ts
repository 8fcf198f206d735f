import { addBase, removeTable } from "../../run/bridge/base.ts";
import { makeBridge, startBridge } from "../../run/bridge/links.ts";
import { bridgeName, frameTable, packetTable, zonesNetwork } from "../../run/bridge/names.ts";
import { isWithin } from "../../run/bridge/special.ts";
import { formatAddress } from "../../run/policy/address.ts";
import { NetworkFailure } from "./failure.ts";
import { type HostRoute, putForwardingBack } from "./forwarding.ts";
import { changeLinks, changeRules, findLink, refusal, removeLink } from "./kernel.ts";
import { readState, removeState, writeState } from "./state.ts";
import { deviceSetting, readSetting, writeSetting } from "./sysctl.ts";

/** What all zones share on the host: the bridge and the table. Under the lock of the network. */

/** Settings of the bridge: no redirects to it or from it, no IPv6. They go with the device. */
const settings = [
  ["ipv4", "send_redirects", "0"],
  ["ipv4", "accept_redirects", "0"],
  ["ipv6", "disable_ipv6", "1"],
] as const;

/** Makes what is missing; the bridge's number. */
export function ensureBase(routes: readonly HostRoute[]): number {
  checkNetworkIsFree(routes);
  changeRules("make the table rauha", addBase(), refusal.exists);
  const there = findLink(bridgeName);
  if (there !== undefined && there.kind !== "bridge")
    throw new NetworkFailure("make the bridge", 0, `${bridgeName} is there already, and it is no bridge`);
  const isNew = there === undefined;
  if (isNew) {
    writeState({ ...readState(), bridge: true });
    changeLinks("make the bridge", makeBridge());
  }
  const bridge = there ?? findLink(bridgeName);
  if (bridge === undefined) throw new NetworkFailure("make the bridge", 0, `${bridgeName} is gone again`);
  // Also those of a bridge that an invocation made and did not live to set up.
  for (const [version, name, value] of settings) {
    const path = deviceSetting(version, bridgeName, name);
    if (readSetting(path) !== undefined) writeSetting(path, value);
  }
  changeLinks("give the bridge its address", startBridge(bridge.index).slice(0, 1), refusal.exists);
  changeLinks("bring the bridge up", startBridge(bridge.index).slice(1));
  return bridge.index;
}

/** Takes away all that was made for zones together: the last of them has gone. */
export function removeBase(): void {
  const state = readState();
  // First the settings: without the table nothing guards a device that still forwards.
  putForwardingBack(state);
  changeRules("remove the table rauha", [...removeTable(packetTable), ...removeTable(frameTable)]);
  if (state.bridge) removeLink(bridgeName);
  removeState();
}

/** Someone else's route into the zones' network would get their packets. */
function checkNetworkIsFree(routes: readonly HostRoute[]): void {
  for (const { to, names } of routes) {
    const device = names.find((name) => name !== bridgeName);
    if (device === undefined || !isWithin(to, zonesNetwork)) continue;
    const network = `${formatAddress(to.address)}/${to.prefix}`;
    const what = `the host has a route to ${network} by ${device}, and 10.89.0.0/16 is the network of Rauha's zones`;
    throw new NetworkFailure("make the bridge", 0, what);
  }
}
