import type { Network } from "../netlink/address.ts";
import type { MacAddress } from "../netlink/link.ts";
import type { Table } from "../netlink/nftables/batch.ts";
import type { Address } from "../policy/address.ts";

/** What the bridged network is called and where everything of it is: one bridge, one network, one address for each zone. */

export const bridgeName = "rauha0";
/** Of both ends of what a zone sees of the host: locally administered, `RH` and zeros. */
export const bridgeMac: MacAddress = [0x02, 0x52, 0x48, 0, 0, 0];
export const gateway: Address = [10, 89, 0, 1];
/** The network of all zones. */
export const zonesNetwork: Network = { address: [10, 89, 0, 0], prefix: 16 };
/** The device that a zone sees. */
export const zoneDevice = "eth0";

/** Zones' numbers in the network: its first two addresses and its last are taken. */
export const zoneNumbers = { first: 2, last: 65534 } as const;

/** Rules for packets that the host forwards, receives and sends. */
export const packetTable: Table = { family: "ip", name: "rauha" };
/** Rules for frames as they leave a zone. */
export const frameTable: Table = { family: "netdev", name: "rauha" };

/** A zone's place in the network. */
export interface ZonePlace {
  /** From `zoneNumbers`. */
  readonly number: number;
  readonly address: Address;
  /** The address as text: name of the zone's record and of its chains. */
  readonly text: string;
  readonly mac: MacAddress;
  /** Name of the host's end of the pair. */
  readonly device: string;
}

/** Where the zone of this number is. */
export function zonePlace(number: number): ZonePlace {
  if (!Number.isInteger(number) || number < zoneNumbers.first || number > zoneNumbers.last)
    throw new RangeError(`${number} is no zone's number`);
  const [high, low] = [number >> 8, number & 0xff];
  const address = [10, 89, high, low];
  return {
    number,
    address,
    text: address.join("."),
    mac: [0x02, 0x52, 0x48, 1, high, low],
    device: `rauha-${high}-${low}`,
  };
}

/** The place of an address of a zone as text; undefined for any other text. */
export function placeOfText(text: string): ZonePlace | undefined {
  const match = /^10\.89\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const number = Number(match[1]) * 256 + Number(match[2]);
  if (number < zoneNumbers.first || number > zoneNumbers.last) return undefined;
  const place = zonePlace(number);
  return place.text === text ? place : undefined;
}
