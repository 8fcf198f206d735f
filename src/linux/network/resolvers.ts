import { type Address, parseAddress } from "../../run/policy/address.ts";

/** The host's resolvers as resolv.conf(5) lists them: at most three, the local one if it lists none. */
export function readResolvers(text: string): Address[] {
  const found = text.split("\n").flatMap((line) => {
    const match = /^\s*nameserver\s+(\S+)/.exec(line);
    // An address with a zone (fe80::1%eth0) can't be asked without knowing the device.
    const address = match === null ? undefined : parseAddress(match[1] ?? "");
    return address === undefined ? [] : [address];
  });
  return found.length === 0 ? [[127, 0, 0, 1]] : found.slice(0, 3);
}
