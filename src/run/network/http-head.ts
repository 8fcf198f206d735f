import { parseAddress } from "../policy/address.ts";
import { hostNameOf } from "./host-name.ts";

/** Which host an HTTP/1 client asks for, as far as its request has come. RFC 9112; RFC 9110, 7.2. */
export type HttpHead =
  | { readonly state: "more" }
  | { readonly state: "wrong"; readonly why: string }
  | { readonly state: "whole"; readonly host: string; readonly isAddress: boolean };

const methods = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} /;
const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]$/;
const http2Preface = "PRI * HTTP/2.0\r\n";

/**
 * Whether these first bytes may be the beginning of HTTP: empty lines, which servers pass over, then a word and a space. What is
 * no HTTP is told early, so that other protocols need not wait.
 */
export function looksLikeHttp(bytes: Uint8Array): boolean {
  const text = latin(bytes, 2048).replace(/^(?:\r?\n)+/, "");
  if (text === "") return true;
  const space = text.indexOf(" ");
  if (space < 0) return text.length <= 32 && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\r?$/.test(text);
  if (!methods.test(text)) return false;
  const end = text.indexOf("\n");
  // A request line has no control characters; protocols of lengths and NULs do (git's).
  if ([...(end < 0 ? text : text.slice(0, end))].some(isControl)) return false;
  // HTTP/0.9 has no version and no Host: seen as HTTP so that it is refused, not passed.
  return end < 0 || / HTTP\/\d/.test(text.slice(0, end)) || /^(?:GET|HEAD|POST|PUT) /.test(text);
}

function isControl(char: string): boolean {
  return (char < " " && char !== "\t" && char !== "\r") || char === "\x7f";
}

/** Reads the request's head. Whatever two servers could read differently is wrong. */
export function readHttpHead(bytes: Uint8Array): HttpHead {
  const wrong = (why: string): HttpHead => ({ state: "wrong", why: `the HTTP request ${why}` });
  const text = latin(bytes, bytes.length).replace(/^(?:\r?\n)+/, "");
  if (text.startsWith(http2Preface)) return wrong("is HTTP/2 without TLS, whose host can't be read here");
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return { state: "more" };
  const [first = "", ...fields] = text.slice(0, end.index).split(/\r?\n/);
  const line = requestLine.exec(first);
  if (line === null) return wrong("has no valid request line");
  const hosts: string[] = [];
  for (const field of fields) {
    if (/^[ \t]/.test(field)) return wrong("has a folded header");
    const colon = field.indexOf(":");
    if (colon <= 0 || /[^!#$%&'*+.^_`|~0-9A-Za-z-]/.test(field.slice(0, colon))) return wrong("has a malformed header");
    if (field.includes("\r") || field.includes("\0")) return wrong("has a malformed header");
    if (field.slice(0, colon).toLowerCase() === "host") hosts.push(field.slice(colon + 1).trim());
  }
  if (hosts.length > 1) return wrong("names two hosts");
  const [, method = "", target = ""] = line;
  const asked = authorityOf(method, target);
  if (asked === "wrong") return wrong("has a target that is no path and no address");
  const said = hosts[0] === undefined ? undefined : hostOf(hosts[0]);
  if (hosts[0] !== undefined && said === undefined) return wrong("has no valid Host");
  if (asked !== undefined && said !== undefined && asked !== said)
    return wrong("names one host in its target and another in Host");
  const host = asked ?? said;
  if (host === undefined) return wrong("has no Host");
  return { state: "whole", host, isAddress: parseAddress(host) !== undefined };
}

/** The host in a target of the absolute form, or of CONNECT; undefined for a path. */
function authorityOf(method: string, target: string): string | undefined {
  if (method === "CONNECT") return hostOf(target) ?? "wrong";
  if (target.startsWith("/") || target === "*") return undefined;
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target);
  if (match === null) return "wrong";
  return hostOf(match[1] ?? "") ?? "wrong";
}

/** `host[:port]` as the host alone; an IPv6 address without its brackets. */
function hostOf(authority: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:@[\]]+))(?::\d{1,5})?$/i.exec(authority);
  if (match === null) return undefined;
  if (match[1] !== undefined) return parseAddress(match[1]) === undefined ? undefined : match[1].toLowerCase();
  return hostNameOf(match[2] ?? "");
}

function latin(bytes: Uint8Array, limit: number): string {
  let text = "";
  for (let i = 0; i < bytes.length && i < limit; i++) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
}
