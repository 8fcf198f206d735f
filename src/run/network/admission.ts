import { type Address, formatAddress } from "../policy/address.ts";
import { type EgressRules, egressRuleFor, isNameAllowed, isNameDenied, refusedRange } from "./egress-rules.ts";
import type { Spoken } from "./first-bytes.ts";

/** What to do with a connection before its program has said anything. */
export type Opening =
  /** The address is listed: connect. `listen`: but read along, since a denied name may stand behind it. */
  | { readonly act: "connect"; readonly why: string; readonly policyKey: string; readonly listen: boolean }
  /** A name that is allowed led here: connect, and see what the program says. */
  | { readonly act: "inspect"; readonly name: string }
  /** Only a name can allow it: hear what the program says. */
  | { readonly act: "hear" }
  | { readonly act: "deny"; readonly why: string; readonly policyKey: string; readonly name: string | null };

/** Decides by the address alone. `pinned` are the names that led to it. */
export function admitAddress(rules: EgressRules, address: Address, port: number, pinned: readonly string[]): Opening {
  const rule = egressRuleFor(rules, address, port);
  if (rule !== undefined) {
    const why = `allowed_egress lists ${rule}`;
    return { act: "connect", why, policyKey: "network.allowed_egress", listen: rules.deniedDomains.length > 0 };
  }
  const special = refusedRange(rules, address, port);
  if (special !== undefined) {
    const why = `${formatAddress(address)} is ${special}, and not listed`;
    return { act: "deny", why, policyKey: "network.allowed_egress", name: pinned[0] ?? null };
  }
  const name = pinned.find((candidate) => isNameAllowed(rules, candidate, port));
  if (name !== undefined) return { act: "inspect", name };
  const [other] = pinned;
  if (other !== undefined) {
    const why = `${other} is not allowed at port ${port}`;
    return { act: "deny", why, policyKey: "network.allowed_domains", name: other };
  }
  if (rules.allowedDomains.length > 0) return { act: "hear" };
  return { act: "deny", why: "the address is not listed", policyKey: "network.allowed_egress", name: null };
}

/** Decides by a name that is known before anything is said. */
export function admitName(rules: EgressRules, name: string, port: number): Opening {
  if (isNameAllowed(rules, name, port)) return { act: "inspect", name };
  return { act: "deny", why: `${name} is not allowed at port ${port}`, policyKey: "network.allowed_domains", name };
}

/** What to do when the program has said something. */
export type Hearing =
  | { readonly act: "wait" }
  /** `name` undefined: what is spoken has no names. */
  | { readonly act: "admit"; readonly name: string | undefined; readonly why: string }
  | { readonly act: "deny"; readonly why: string; readonly policyKey: string; readonly name: string | null };

/**
 * Ports at which addresses are shared by many sites, as delivery networks serve them: there, bytes that are neither HTTP nor TLS may be an
 * attempt to be misread.
 */
const webPorts = [80, 443, 2052, 2053, 2082, 2083, 2086, 2087, 2095, 2096, 8080, 8443, 8880];

/** Decides by what the program says; `standing` is why it got this far. */
export function admitSpoken(
  rules: EgressRules,
  spoken: Spoken,
  port: number,
  standing: "listed" | { readonly pinned: string } | "unknown",
  isSsh: boolean,
): Hearing {
  const deny = (why: string, policyKey: string, name: string | null = null): Hearing => ({
    act: "deny",
    why,
    policyKey,
    name,
  });
  if (spoken.kind === "more") return { act: "wait" };
  if (standing === "listed") {
    if (spoken.kind === "wrong") return deny(`${spoken.why}, and some domains are denied`, "network.denied_domains");
    if (spoken.kind === "named" && isNameDenied(rules, spoken.name, port))
      return deny(`${spoken.by} names ${spoken.name}, which is denied`, "network.denied_domains", spoken.name);
    return {
      act: "admit",
      name: spoken.kind === "named" ? spoken.name : undefined,
      why: "allowed_egress lists the address",
    };
  }
  if (spoken.kind === "named") {
    const { name, by } = spoken;
    if (isNameDenied(rules, name, port))
      return deny(`${by} names ${name}, which is denied`, "network.denied_domains", name);
    if (isNameAllowed(rules, name, port)) return { act: "admit", name, why: `${by} names an allowed domain` };
    return deny(`${by} names ${name}, which no allowed domain has`, "network.allowed_domains", name);
  }
  if (spoken.kind === "wrong") return deny(spoken.why, "network.allowed_egress");
  if (spoken.kind === "unnamed")
    return deny(`${spoken.what}: nothing says that it goes to an allowed domain`, "network.allowed_egress");
  if (standing === "unknown")
    return deny("no allowed domain led to the address, and the protocol names none", "network.allowed_egress");
  if (webPorts.includes(port) && !isSsh)
    return deny(`what is spoken at port ${port} is neither TLS nor HTTP`, "network.allowed_egress", standing.pinned);
  return { act: "admit", name: undefined, why: "an allowed domain led to the address" };
}
