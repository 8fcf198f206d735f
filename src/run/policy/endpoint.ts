import { type Address, formatAddress, networkOf, parseAddress } from "./address.ts";
import { quoteShort, type Read, read, textForm, wrong } from "./form.ts";

/** Addresses and ports of `allowed_egress`, `allowed_ingress` and --allow-egress: `CIDR:PORT`. */
export interface Endpoint {
  readonly address: Address;
  readonly prefix: number;
  /** Both ends belong to it; 0 to 65535 is `*`. */
  readonly ports: readonly [first: number, last: number];
}

const examples = '"0.0.0.0/0:443", "10.1.2.3:5432", "[2001:db8::/32]:8000-8999" or "192.0.2.0/24:*"';

/** `ADDRESS[/PREFIX]:PORT`, version 6 in brackets; the port is a number, a range `8000-8999` or `*`. */
export function parseEndpoint(text: string): Read<Endpoint> {
  const problem = (what: string, hint = `for example ${examples}`) =>
    wrong(`${quoteShort(text)} is not CIDR:PORT: ${what}`, hint);
  const match = /^(?:\[([^\][]*)\](\/\d+)?|([^:[\]]*))(?::([^:]*))?$/.exec(text);
  if (match === null) {
    if (parseAddress(text.replace(/\/\d+$/, "")) !== undefined)
      return problem("no port", `write "[${text}]:443", or "[${text}]:*"`);
    return problem(
      /^[^[\]]*:[^[\]]*:/.test(text) ? "an IPv6 address stands in brackets" : "expected an address, a colon and a port",
    );
  }
  const [, bracketed, after = "", plain, port] = match;
  const [host = "", prefixText, ...more] = `${bracketed ?? plain ?? ""}${after}`.split("/");
  if (/[a-z]/i.test(host) && bracketed === undefined)
    return problem("a name, not an address", "list names in network.allowed_domains");
  const address = parseAddress(host);
  if (address === undefined || (address.length === 16) !== (bracketed !== undefined))
    return problem(`${quoteShort(host)} is not an IP address`);
  const bits = address.length * 8;
  if (
    more.length > 0 ||
    (prefixText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(prefixText)) ||
    Number(prefixText ?? bits) > bits
  ) {
    return problem(`expected a prefix length from 0 to ${bits}`);
  }
  if (port === undefined) return problem("no port", `write "${text}:443", or "${text}:*" for every port`);
  const ports = parsePorts(port);
  if (ports === undefined)
    return problem(`${quoteShort(port)} is not a port`, "a port from 1 to 65535, a range such as 8000-8999, or *");
  const prefix = Number(prefixText ?? bits);
  const network = networkOf(address, prefix);
  if (network.join() !== address.join()) {
    return problem(
      `bits are set after the first ${prefix}`,
      `write ${quoteShort(formatEndpoint({ address: network, prefix, ports }))}`,
    );
  }
  return read({ address, prefix, ports });
}

function parsePorts(text: string): readonly [number, number] | undefined {
  if (text === "*") return [0, 65535];
  const match = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text);
  if (match === null) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first <= last && last <= 65535 ? [first, last] : undefined;
}

/** The one way to write an endpoint; `parseEndpoint` reads it back. */
export function formatEndpoint({ address, prefix, ports: [first, last] }: Endpoint): string {
  const host = formatAddress(address);
  const cidr = prefix === address.length * 8 ? host : `${host}/${prefix}`;
  const port = first === 0 ? "*" : first === last ? String(first) : `${first}-${last}`;
  return `${address.length === 16 ? `[${cidr}]` : cidr}:${port}`;
}

export const endpointForm = textForm("CIDR:PORT", (text) => {
  const outcome = parseEndpoint(text);
  return outcome.ok ? read(formatEndpoint(outcome.value)) : outcome;
});
