import { parseAddress } from "./address.ts";
import { domainPresetNames } from "./domain-presets.ts";
import { quoteShort, type Read, read, textForm, wrong } from "./form.ts";
import { didYouMean } from "./names.ts";

/** Domain patterns: a name, `*.name` for every name below it, `*` for every name, and `@preset`. Lower case. */

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

export function parseDomain(text: string): Read<string> {
  if (text.startsWith("@")) return parsePreset(text);
  if (text === "*") return read(text);
  const pattern = text.toLowerCase();
  const name = pattern.startsWith("*.") ? pattern.slice(2) : pattern;
  if (name.length <= 253 && name.split(".").every((part) => label.test(part)) && parseAddress(name) === undefined)
    return read(pattern);
  return wrong(`${quoteShort(text)} is not a domain name or pattern`, domainHint(text, name));
}

function domainHint(text: string, name: string): string {
  const url = /^[a-z]+:\/\/([^/:?#]+)/i.exec(text);
  if (url !== null) return `a name, not an address of the web: write ${quoteShort(url[1] ?? "")}`;
  if (parseAddress(name.replace(/[[\]]|\/\d+$/g, "")) !== undefined)
    return "addresses are listed in network.allowed_egress";
  if (/^[^:]+:\d+$/.test(name)) return `without a port: write ${quoteShort(text.replace(/:\d+$/, ""))}`;
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

/** Whether every name that `inner` matches is matched by `outer` too. */
export function domainCovers(outer: string, inner: string): boolean {
  if (outer === inner || outer === "*") return true;
  return outer.startsWith("*.") && inner !== "*" && inner.replace(/^\*\./, "").endsWith(outer.slice(1));
}

export const domainForm = textForm("a domain name", parseDomain);
