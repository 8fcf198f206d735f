import { attribute, joinBytes, nest, textAttribute, u8, u32 } from "./attributes.ts";
import { messageFlag, type NetlinkMessage } from "./message.ts";

/** Network devices: rtnetlink(7), linux/if_link.h. */

const type = { new: 16, delete: 17, get: 18, set: 19 } as const;
const field = {
  mac: 1,
  name: 3,
  mtu: 4,
  master: 10,
  port: 12,
  info: 18,
  netnsPid: 19,
  alias: 20,
  netnsFd: 28,
} as const;
const info = { kind: 1, data: 2 } as const;
const vethPeer = 1;
const portField = { learning: 8, unicastFlood: 9, multicastFlood: 27, broadcastFlood: 30, isolated: 33 } as const;
const up = 1;
const bridgeFamily = 7;
/** Longest name of a device: IFNAMSIZ less the NUL. */
export const deviceNameBytes = 15;

/** A device by its name, or by its number, which no other device ever has in the life of a namespace. */
export type Device = string | number;

/** Six bytes. */
export type MacAddress = readonly number[];

/** A network namespace, by a descriptor of the sending process or by the id of a process in it. */
export type NetworkNamespace = { readonly fd: number } | { readonly pid: number };

/** A network device to be made. */
export interface NewDevice {
  readonly name: string;
  readonly mac?: MacAddress | undefined;
  /** Bytes. */
  readonly mtu?: number | undefined;
  readonly up?: boolean | undefined;
}

/** Makes a bridge; EEXIST if the name is taken. */
export function addBridge(device: NewDevice): NetlinkMessage {
  return addLink(device, [nest(field.info, [textAttribute(info.kind, "bridge")])]);
}

/** Makes a pair of devices, the second of which may lie in another network namespace. The kernel brings the second up only later. */
export function addVethPair(
  device: NewDevice & { readonly master?: number | undefined },
  peer: Omit<NewDevice, "up"> & { readonly namespace?: NetworkNamespace | undefined },
): NetlinkMessage {
  const end = joinBytes([deviceHeader(0, 0, undefined), ...deviceFields(peer), ...namespaceField(peer.namespace)]);
  const master = device.master === undefined ? [] : [u32(field.master, device.master)];
  const data = nest(info.data, [attribute(vethPeer, end)]);
  return addLink(device, [...master, nest(field.info, [textAttribute(info.kind, "veth"), data])]);
}

/** What is to be otherwise about a network device. */
export interface LinkChange extends Omit<NewDevice, "name"> {
  readonly name?: string | undefined;
  /** Number of the bridge to be a port of. */
  readonly master?: number | undefined;
  /** A note, as `ip link` shows it. The kernel takes none for a device that it is making. */
  readonly alias?: string | undefined;
}

/** Makes a device up or down, gives it another name, hardware address, size of packets, or a bridge to be a port of. */
export function setLink(device: Device, change: LinkChange): NetlinkMessage {
  const { name } = change;
  // A new name can only be told from the old one if that is a number.
  if (name !== undefined && typeof device === "string") throw new RangeError("rename a device by its number");
  const fields = [
    ...deviceFields({ ...change, name: undefined }),
    ...(name === undefined ? [] : [nameField(name)]),
    ...(change.master === undefined ? [] : [u32(field.master, change.master)]),
    ...(change.alias === undefined ? [] : [textAttribute(field.alias, change.alias)]),
  ];
  return linkMessage(type.new, messageFlag.acknowledge, device, change.up, fields);
}

/** How a bridge treats a port of its. */
export interface BridgePort {
  /** Whether frames go from here to other isolated ports. */
  readonly isolated?: boolean;
  /** Whether the source address of a frame tells the bridge where that address is. */
  readonly learning?: boolean;
  /** Whether frames to unknown addresses come here. */
  readonly unicastFlood?: boolean;
  readonly multicastFlood?: boolean;
  readonly broadcastFlood?: boolean;
}

/** Sets what a bridge's port may do. */
export function setBridgePort(device: number, port: BridgePort): NetlinkMessage {
  const flags = Object.entries(port).map(([name, value]) => u8(portField[name as keyof BridgePort], value ? 1 : 0));
  const body = joinBytes([deviceHeader(bridgeFamily, device, undefined), nest(field.port, flags)]);
  return { type: type.set, flags: messageFlag.acknowledge, body };
}

/** Takes a device away, and of a pair the other end too; ENODEV if there is none. */
export function deleteLink(device: Device): NetlinkMessage {
  return linkMessage(type.delete, messageFlag.acknowledge, device, undefined, []);
}

/** Asks for one device; ENODEV if there is none. The answer is an item, see `decodeLink`. */
export function getLink(device: Device): NetlinkMessage {
  return linkMessage(type.get, 0, device, undefined, []);
}

/** Asks for all devices. */
export function getLinks(): NetlinkMessage {
  return { type: type.get, flags: messageFlag.dump, body: deviceHeader(0, 0, undefined) };
}

function addLink(device: NewDevice, fields: readonly Uint8Array[]): NetlinkMessage {
  const flags = messageFlag.acknowledge | messageFlag.create | messageFlag.exclusive;
  const body = joinBytes([deviceHeader(0, 0, device.up), ...deviceFields(device), ...fields]);
  return { type: type.new, flags, body };
}

function linkMessage(
  kind: number,
  flags: number,
  device: Device,
  isUp: boolean | undefined,
  fields: readonly Uint8Array[],
): NetlinkMessage {
  const header = deviceHeader(0, typeof device === "number" ? device : 0, isUp);
  const name = typeof device === "number" ? [] : [nameField(device)];
  return { type: kind, flags, body: joinBytes([header, ...name, ...fields]) };
}

/** struct ifinfomsg: family, type, index, flags, and which of the flags to change. */
function deviceHeader(family: number, index: number, isUp: boolean | undefined): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, family);
  view.setInt32(4, index, true);
  view.setUint32(8, isUp === true ? up : 0, true);
  view.setUint32(12, isUp === undefined ? 0 : up, true);
  return bytes;
}

function deviceFields({ name, mac, mtu }: Omit<NewDevice, "name"> & { name: string | undefined }): Uint8Array[] {
  if (mac !== undefined && mac.length !== 6) throw new RangeError("a hardware address has six bytes");
  return [
    ...(name === undefined ? [] : [nameField(name)]),
    ...(mac === undefined ? [] : [attribute(field.mac, new Uint8Array(mac))]),
    ...(mtu === undefined ? [] : [u32(field.mtu, mtu)]),
  ];
}

function namespaceField(namespace: NetworkNamespace | undefined): Uint8Array[] {
  if (namespace === undefined) return [];
  return ["fd" in namespace ? u32(field.netnsFd, namespace.fd) : u32(field.netnsPid, namespace.pid)];
}

function nameField(name: string): Uint8Array {
  if (name === "" || name.length > deviceNameBytes || /[\s/:]/.test(name) || name === "." || name === "..")
    throw new RangeError(`${JSON.stringify(name)} is no name of a network device`);
  return textAttribute(field.name, name);
}
