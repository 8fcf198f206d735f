import { type Address, formatAddress } from "../policy/address.ts";
import { denied, type EgressAttempt } from "./attempt.ts";
import { addressReply, type DnsQuery, emptyReply, readQuery } from "./dns/query.ts";
import { dnsCode, dnsType } from "./dns/wire.ts";
import { type EgressRules, isNameAllowed, isNameDenied, refusedRange } from "./egress-rules.ts";
import type { Pins } from "./pins.ts";
import { type Proxies, proxyFor } from "./proxy.ts";
import type { Resolver } from "./resolver.ts";

/** What answering queries needs of its surroundings. */
export interface DnsPorts {
  readonly rules: EgressRules;
  readonly proxies: Proxies;
  readonly resolver: Resolver;
  readonly pins: Pins;
  readonly report: (attempt: EgressAttempt) => void;
}

/**
 * Answers one query of a program in the zone. Only names that may be connected to are asked for outside, only for their addresses, and
 * nothing of the query goes out but the name: there is nothing to tunnel through. `udpLimit` is undefined by TCP. `respond` may be
 * called at once; with nothing for what deserves no answer.
 */
export function answerQuery(
  { rules, proxies, resolver, pins, report }: DnsPorts,
  message: Uint8Array,
  byUdp: boolean,
  nowMs: number,
  respond: (reply: Uint8Array | undefined) => void,
): void {
  const read = readQuery(message);
  if (!read.ok) {
    respond(read.reply);
    return;
  }
  const { query } = read;
  const what = { protocol: "dns", name: query.name, address: null, port: 53 } as const;
  if (!isNameAllowed(rules, query.name)) {
    const isDenied = isNameDenied(rules, query.name);
    const why = isDenied ? "the name is denied" : "no allowed domain has the name";
    report(denied(what, why, isDenied ? "network.denied_domains" : "network.allowed_domains"));
    respond(emptyReply(query, dnsCode.noSuchName));
    return;
  }
  if (query.type !== dnsType.A && query.type !== dnsType.AAAA) {
    respond(emptyReply(query, query.type === dnsType.ANY ? dnsCode.notImplemented : dnsCode.noError));
    return;
  }
  // A proxy looks names up itself, and the host may not be able to: an address that stands for the name is all that is needed.
  if (proxyFor(proxies, query.name, [], 443) !== undefined) {
    const addresses = query.type === dnsType.A ? [pins.standIn(query.name)] : [];
    respond(addressReply(query, addresses, standInSeconds));
    return;
  }
  resolver.lookup(query.name, query.type, nowMs, ({ addresses, ttl, code }) => {
    const { usable, refused } = sift(rules, addresses);
    if (refused !== undefined) report(denied({ ...what, ...refused.what }, refused.why, "network.allowed_egress"));
    pins.add(query.name, usable, ttl, nowMs);
    const hidden = refused !== undefined && usable.length === 0;
    respond(reply(query, usable, ttl, hidden ? dnsCode.noSuchName : code, byUdp));
  });
}

const standInSeconds = 3600;

function reply(query: DnsQuery, addresses: readonly Address[], ttl: number, code: number, byUdp: boolean): Uint8Array {
  // A code that this resolver's own state explains, never one that says more of the host's.
  const known = code === dnsCode.noError || code === dnsCode.noSuchName ? code : dnsCode.serverFailure;
  return addressReply(query, addresses, ttl, known, byUdp ? Math.min(query.payload ?? 512, 1232) : 65_535);
}

/** Of a name's addresses those that a zone may use: not the host's own, not private, unless listed. */
export function sift(
  rules: EgressRules,
  addresses: readonly Address[],
  port?: number,
): {
  readonly usable: readonly Address[];
  readonly refused: { readonly what: { readonly address: string }; readonly why: string } | undefined;
} {
  const usable = addresses.filter((address) => refusedRange(rules, address, port) === undefined);
  const bad = addresses.find((address) => !usable.includes(address));
  if (bad === undefined) return { usable, refused: undefined };
  const address = formatAddress(bad);
  const why = `the name resolves to ${address}, which is ${refusedRange(rules, bad, port)} and not listed`;
  return { usable, refused: { what: { address }, why } };
}
