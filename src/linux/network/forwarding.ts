import { addSwitched } from "../../run/bridge/base.ts";
import { bridgeName } from "../../run/bridge/names.ts";
import { overlap } from "../../run/bridge/special.ts";
import { getRoutes, type Network } from "../../run/netlink/address.ts";
import { getLinks } from "../../run/netlink/link.ts";
import { decodeLink, decodeRoute, type FoundRoute } from "../../run/netlink/read.ts";
import { askLinks, changeRules } from "./kernel.ts";
import { type NetworkState, readState, writeState } from "./state.ts";
import { deviceSetting, readSetting, writeSetting } from "./sysctl.ts";

/** IP forwarding, device by device: on for the devices by which zones' answers come in, and off again when the last zone has gone. */

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
  const off = [...devices].filter((name) => readSetting(deviceSetting("ipv4", name, "forwarding")) === "0");
  if (off.length > 0) {
    const state = readState();
    writeState({ ...state, switched: [...new Set([...state.switched, ...off])] });
    // First the rule, so that at no time the device forwards for anyone else.
    changeRules("guard the devices that will forward", addSwitched(off));
    for (const name of off) writeSetting(deviceSetting("ipv4", name, "forwarding"), "1");
  }
  writeSetting(deviceSetting("ipv4", bridgeName, "forwarding"), "1");
}

/** Puts back what was switched, but for what someone else has set, or taken away, meanwhile. */
export function putForwardingBack({ switched }: NetworkState): void {
  for (const name of switched) {
    const setting = deviceSetting("ipv4", name, "forwarding");
    if (readSetting(setting) === "1") writeSetting(setting, "0");
  }
}
