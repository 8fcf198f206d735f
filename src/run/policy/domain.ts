import { parseAddress } from "./address.ts";
import { domainPresetNames } from "./domain-presets.ts";
import { quoteShort, type Read, read, textForm, wrong } from "./form.ts";
import { didYouMean } from "./names.ts";

/**
 * Domain patterns: a name, `*.name` for every name below it, `*` for every name, and `@preset`. Lower case. Behind a name may stand
 * a port or a range of ports, `example.org:443`; without one every port is meant.
 */

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A domain, `*.` and a domain, `*`, each with or without `:PORT` or `:PORT-PORT`; or `@` and a preset. In lower case. */
export function parseDomain(text: string): Read<string> {
  const { pattern, ports } = splitDomain(text.toLowerCase());
  if (text.startsWith("@")) {
    if (ports === undefined) return parsePreset(text);
    return wrong(
      `${quoteShort(text)} is not a domain name or pattern`,
      `a list has the ports of its domains: write ${quoteShort(pattern)}`,
    );
  }
  if (text === "*") return read(text);
  const name = pattern.startsWith("*.") ? pattern.slice(2) : pattern;
  if (ports !== undefined && !/^\d+\.\d+\.\d+\.\d+$/.test(name)) {
    const outcome = parseDomain(pattern);
    return outcome.ok ? read(`${outcome.value}:${ports[0] === ports[1] ? ports[0] : ports.join("-")}`) : outcome;
  }
  if (name.length <= 253 && name.split(".").every((part) => label.test(part)) && parseAddress(name) === undefined)
    return read(pattern);
  return wrong(`${quoteShort(text)} is not a domain name or pattern`, domainHint(text, name));
}

function domainHint(text: string, name: string): string {
  const url = /^[a-z]+:\/\/([^/:?#]+)/i.exec(text);
  if (url !== null) return `a name, not an address of the web: write ${quoteShort(url[1] ?? "")}`;
  if (parseAddress(name.replace(/[[\]]|\/\d+$/g, "")) !== undefined)
    return "addresses are listed in network.allowed_egress";
  if (/^[^:]+:[\d-]*$/.test(name)) return "a port is a number from 1 to 65535, or a range such as 8000-8999";
  if (name.endsWith(".")) return `without the dot at the end: write ${quoteShort(text.replace(/\.+$/, ""))}`;
  if (/[^\0-\x7f]/.test(name)) return "write the name as it is in the DNS, xn--…";
  return 'for example "example.org", "*.example.org" or "@npm"';
}

function parsePreset(text: string): Read<string> {
  const name = text.slice(1);
  if (domainPresetNames.includes(name)) return read(text);
  const presets = domainPresetNames.map((preset) => `@${preset}`);
  return wrong(
    `there is no list of domains ${quoteShort(text)}`,
    didYouMean(text, presets) ?? `there are ${presets.join(", ")}`,
  );
}

/** A pattern without its ports, and these; undefined for every port. What is no port stays with the pattern. */
export function splitDomain(text: string): {
  readonly pattern: string;
  readonly ports: readonly [first: number, last: number] | undefined;
} {
  const match = /^([^:]+):([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text);
  const [first, last] = [Number(match?.[2]), Number(match?.[3] ?? match?.[2])];
  if (match === null || first > last || last > 65_535) return { pattern: text, ports: undefined };
  return { pattern: match[1] ?? "", ports: [first, last] };
}

/** Whether every name and port that `inner` matches is matched by `outer` too. */
export function domainCovers(outer: string, inner: string): boolean {
  const [wide, narrow] = [splitDomain(outer), splitDomain(inner)];
  if (wide.ports !== undefined) {
    const [first, last] = narrow.ports ?? [0, 65_535];
    if (first < wide.ports[0] || last > wide.ports[1]) return false;
  }
  if (wide.pattern === narrow.pattern || wide.pattern === "*") return true;
  const name = narrow.pattern.replace(/^\*\./, "");
  return wide.pattern.startsWith("*.") && narrow.pattern !== "*" && name.endsWith(wide.pattern.slice(1));
}

export const domainForm = textForm("a domain name", parseDomain);
