/** The proxy variables as curl and Go read them. Pure. */

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy for a URL; undefined for none. This machine itself is never asked through a proxy. */
export function proxyFor(url: URL, env: Environment): string | undefined {
  if (isLoopback(url.hostname) || isExempt(url, env["NO_PROXY"] ?? env["no_proxy"] ?? "")) return undefined;
  // HTTP_PROXY in capitals may come from a request's header where a program serves CGI; we are none.
  const names = url.protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  const value = names.map((name) => env[name] ?? "").find((text) => text !== "");
  if (value === undefined) return undefined;
  return /^[a-z0-9+.-]+:\/\//i.test(value) ? value : `http://${value}`;
}

/** `localhost`, 127.0.0.0/8 and ::1, as a URL writes them. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127(\.[0-9]{1,3}){3}$/.test(host);
}

function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => matches(entry.toLowerCase(), host, port));
}

/** `*`, an address, a range of IPv4 addresses, a domain (and all below it), each but a range with or without a port. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return inRange(entry, host);
  const [, name = entry, wanted] = /^(.*?)(?::([0-9]+))?$/.exec(entry.replace(/^\[(.*)\]/, "$1")) ?? [];
  const plain = /:.*:/.test(entry) ? entry.replace(/^\[|\]$/g, "") : name;
  if (wanted !== undefined && plain === name && wanted !== port) return false;
  const domain = plain.replace(/^\*?\./, "");
  return host === domain || host.endsWith(`.${domain}`);
}

function inRange(entry: string, host: string): boolean {
  const [base = "", bits = ""] = entry.split("/");
  const from = addressNumber(base);
  const address = addressNumber(host);
  const width = Number(bits);
  if (from === undefined || address === undefined || !/^[0-9]+$/.test(bits) || width > 32) return false;
  return Math.floor(from / 2 ** (32 - width)) === Math.floor(address / 2 ** (32 - width));
}

function addressNumber(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
