import { type Address, formatAddress, parseAddress } from "../policy/address.ts";
import { isInNetwork } from "./special-ranges.ts";

/** HTTP proxies of the caller's environment: the host may have no other way out. As curl and Go read the variables. */
export interface Proxies {
  /** For port 80, from http_proxy; for all others, from https_proxy; for both, from all_proxy. */
  readonly http?: HttpProxy | undefined;
  readonly https?: HttpProxy | undefined;
  /** Entries of no_proxy: names (and all below), addresses, ranges, `*`. */
  readonly except: readonly string[];
}

/** An HTTP proxy of the caller's, by CONNECT (RFC 9110). */
export interface HttpProxy {
  readonly host: string;
  readonly port: number;
  /** For Proxy-Authorization; never shown. */
  readonly credentials?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the variables; `wrong` names one that no HTTP proxy can be made of. */
export function readProxies(env: Environment): { readonly proxies: Proxies; readonly wrong: readonly string[] } {
  const wrong: string[] = [];
  const first = (...names: string[]): HttpProxy | undefined => {
    // http_proxy in capitals may come from a request's header where a program serves CGI; we are none.
    const name = names.find((candidate) => (env[candidate] ?? "") !== "");
    if (name === undefined) return undefined;
    const proxy = readProxy(env[name] ?? "");
    if (proxy === undefined && !wrong.includes(name)) wrong.push(name);
    return proxy;
  };
  const all = ["ALL_PROXY", "all_proxy"];
  const except = (env["NO_PROXY"] ?? env["no_proxy"] ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
  const proxies = {
    http: first("HTTP_PROXY", "http_proxy", ...all),
    https: first("HTTPS_PROXY", "https_proxy", ...all),
    except: except.map((entry) => entry.toLowerCase()),
  };
  return { proxies, wrong };
}

function readProxy(text: string): HttpProxy | undefined {
  const match = /^(?:http:\/\/)?(?:([^@/]*)@)?(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::(\d{1,5}))?\/?$/i.exec(text);
  if (match === null) return undefined;
  const [, user, address, name, port] = match;
  const host = address ?? name ?? "";
  if (host === "" || Number(port ?? 80) > 65_535) return undefined;
  const credentials = user === undefined ? {} : { credentials: base64(unescapeText(user)) };
  return { host, port: Number(port ?? 80), ...credentials };
}

function unescapeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** The proxy for a connection to a name, or to an address that has none; undefined: go directly. */
export function proxyFor(proxies: Proxies, name: string | null, address: Address, port: number): HttpProxy | undefined {
  const proxy = port === 80 ? proxies.http : proxies.https;
  const host = name ?? formatAddress(address);
  if (proxy === undefined || proxies.except.some((entry) => matches(entry, host, port))) return undefined;
  return proxy;
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === "*") return true;
  const address = parseAddress(host);
  const [base = "", bits] = entry.split("/");
  const network = parseAddress(base.replace(/^\[(.*)\]$/, "$1"));
  if (network !== undefined)
    return address !== undefined && isInNetwork(address, network, Number(bits ?? network.length * 8));
  const [, name = "", wanted] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (wanted !== undefined && Number(wanted) !== port) return false;
  const domain = name.replace(/^\*?\./, "");
  return host === domain || host.endsWith(`.${domain}`);
}

/** What asks a proxy for a connection: RFC 9110, 9.3.6. */
export function connectRequest(
  { credentials }: HttpProxy,
  name: string | null,
  address: Address,
  port: number,
): Uint8Array {
  const host = name ?? (address.length === 4 ? formatAddress(address) : `[${formatAddress(address)}]`);
  const authorization = credentials === undefined ? "" : `Proxy-Authorization: Basic ${credentials}\r\n`;
  const head = `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n${authorization}\r\n`;
  return new TextEncoder().encode(head);
}

/** A proxy's answer to CONNECT, as far as it has come. */
export type ProxyReply =
  | { readonly state: "more" }
  | { readonly state: "refused"; readonly why: string }
  /** `length` bytes were the proxy's own. */
  | { readonly state: "connected"; readonly length: number };

/** A proxy's answer is short. */
const replyMax = 8192;

/** Reads what the proxy has said so far. */
export function readProxyReply(bytes: Uint8Array): ProxyReply {
  let text = "";
  for (const byte of bytes.subarray(0, replyMax)) text += String.fromCharCode(byte);
  const end = /\r?\n\r?\n/.exec(text);
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (status !== undefined && !status.startsWith("2")) return { state: "refused", why: `the proxy answers ${status}` };
  if (end === null)
    return bytes.length < replyMax ? { state: "more" } : { state: "refused", why: "the proxy talks without end" };
  if (status === undefined) return { state: "refused", why: "the proxy does not speak HTTP" };
  return { state: "connected", length: end.index + end[0].length };
}
