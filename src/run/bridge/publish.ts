import { type Address, formatAddress, parseAddress } from "../policy/address.ts";
import { quoteShort, type Read, read, wrong } from "../policy/form.ts";

/** A TCP port of the host that leads to one of the zone's. */
export interface PublishedPort {
  /** Of the host; 0.0.0.0 is all of its addresses. */
  readonly address: Address;
  readonly port: number;
  readonly zonePort: number;
}

const loopback: Address = [127, 0, 0, 1];

/** `[IP:]PORT:PORT` of --publish: the host's side first. Without an address it is the host's loopback. */
export function parsePublish(text: string): Read<PublishedPort> {
  const match = /^(?:([^:]*):)?([1-9]\d{0,4}):([1-9]\d{0,4})$/.exec(text);
  const problem = (what: string) =>
    wrong(`${quoteShort(text)} is not [IP:]PORT:PORT: ${what}`, 'for example "8080:80" or "0.0.0.0:8080:80"');
  if (match === null) return problem("expected a port of the host, a colon and a port of the zone");
  const [, host, port, zonePort] = match;
  const address = host === undefined ? loopback : parseAddress(host);
  if (address?.length !== 4) return problem(`${quoteShort(host ?? "")} is not an IPv4 address`);
  const ports = [Number(port), Number(zonePort)] as const;
  if (ports.some((number) => number > 65535)) return problem("a port is from 1 to 65535");
  return read({ address, port: ports[0], zonePort: ports[1] });
}

export const isEverywhere = ({ address }: PublishedPort): boolean => address.every((byte) => byte === 0);
export const isOnLoopback = ({ address }: PublishedPort): boolean => address[0] === 127;
/** Whether the host's own loopback leads to it. */
export const reachesLoopback = (port: PublishedPort): boolean => isOnLoopback(port) || isEverywhere(port);

/** As the command line has it. */
export function formatPublish({ address, port, zonePort }: PublishedPort): string {
  return `${formatAddress(address)}:${port}:${zonePort}`;
}
