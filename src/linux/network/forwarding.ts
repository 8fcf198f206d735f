import { addSwitched, releaseSwitched } from "../../run/bridge/base.ts";
import { bridgeName } from "../../run/bridge/names.ts";
import { overlap } from "../../run/bridge/special.ts";
import { getRoutes, type Network } from "../../run/netlink/address.ts";
import { getLinks } from "../../run/netlink/link.ts";
import { decodeLink, decodeRoute, type FoundRoute } from "../../run/netlink/read.ts";
import { askLinks, changeRules } from "./kernel.ts";
import { type NetworkState, readState, writeState } from "./state.ts";
import { deviceSetting, readSetting, writeSetting } from "./sysctl.ts";

/** IP forwarding, device by device: on for the devices by which zones' answers come in, and off again when the last zone has gone. */

/** A route of the host, with the names of its devices. */
export interface HostRoute extends FoundRoute {
  readonly names: readonly string[];
}

/** The routes of the main table, with the names of their devices. */
export function hostRoutes(): HostRoute[] {
  const names = new Map(
    askLinks("list the network devices", getLinks()).flatMap((body) => {
      const link = decodeLink(body);
      return link === undefined ? [] : [[link.index, link.name] as const];
    }),
  );
  return askLinks("list the routes", getRoutes("ip")).flatMap((body) => {
    const route = decodeRoute(body);
    return route === undefined ? [] : [{ ...route, names: route.devices.flatMap((index) => names.get(index) ?? []) }];
  });
}

/** Lets packets through between the bridge and the devices that lead to these networks. What is changed is written down before. */
export function switchForwarding(routes: readonly HostRoute[], reached: readonly Network[]): void {
  const leading = routes.filter(({ to }) => reached.some((network) => overlap(network, to)));
  const devices = new Set(leading.flatMap(({ names }) => names).filter((name) => name !== bridgeName && name !== "lo"));
  releaseGuard();
  const off = [...devices].filter((name) => readSetting(deviceSetting("ipv4", name, "forwarding")) === "0");
  if (off.length > 0) {
    const state = readState();
    const hostForwarded = state.switched.length === 0 ? hostForwards() : state.hostForwarded;
    writeState({ ...state, hostForwarded, switched: [...new Set([...state.switched, ...off])] });
    // First the rule, so that at no time the device forwards for anyone else.
    changeRules("guard the devices that will forward", addSwitched(off));
    for (const name of off) writeSetting(deviceSetting("ipv4", name, "forwarding"), "1");
  }
  writeSetting(deviceSetting("ipv4", bridgeName, "forwarding"), "1");
}

/** Puts back what was switched, but for what someone else has set, or taken away, meanwhile. */
export function putForwardingBack(state: NetworkState): void {
  if (isTakenOver(state)) return;
  for (const name of state.switched) {
    const setting = deviceSetting("ipv4", name, "forwarding");
    if (readSetting(setting) === "1") writeSetting(setting, "0");
  }
}

/** Whether the host as a whole forwards. Setting it sets every device's: then ours are no longer what we made of them. */
function hostForwards(): boolean {
  return readSetting(deviceSetting("ipv4", "all", "forwarding")) === "1";
}

/** Someone made the host a router while zones were there: what we switched is theirs now. */
function isTakenOver(state: NetworkState): boolean {
  return state.switched.length > 0 && !state.hostForwarded && hostForwards();
}

/** Then the devices forward for others as well, and the guard that keeps them from it goes. */
function releaseGuard(): void {
  const state = readState();
  if (!isTakenOver(state)) return;
  changeRules("release the devices that forward for others too", releaseSwitched());
  writeState({ ...state, switched: [] });
}
