import type { Address } from "../policy/address.ts";
import { readAnswer } from "./dns/answer.ts";
import { writeQuery } from "./dns/query.ts";
import { dnsCode, dnsType } from "./dns/wire.ts";
import { wireAddress } from "./gateway/address.ts";
import type { GatewayOrder } from "./gateway/contract.ts";

/** What became of a lookup. */
export interface Resolved {
  readonly addresses: readonly Address[];
  readonly ttl: number;
  /** The response code; not 0: there are no addresses. */
  readonly code: number;
}

interface Lookup {
  readonly key: string;
  readonly type: number;
  /** Where the chain of CNAMEs has come to. */
  name: string;
  ttl: number;
  hops: number;
  id: number;
  tries: number;
  deadline: number;
  readonly done: ((result: Resolved) => void)[];
}

const tryMs = 2000;
const triesMax = 4;
const hopsMax = 8;
const cacheMaxMs = 300_000;
const cacheMax = 1024;
/** As many as the gateway has sockets for, less some that are being closed. */
const lookupsMax = 200;

/**
 * Asks the host's resolvers, through the gateway's sockets. Pure: time and chance come from outside, orders go out by `send`. Each try
 * has a socket and an id of its own, so that nobody off the path can answer.
 */
export class Resolver {
  readonly #lookups = new Map<number, Lookup>();
  readonly #byKey = new Map<string, Lookup>();
  readonly #cache = new Map<string, { readonly result: Resolved; readonly until: number }>();
  readonly #servers: readonly Address[];
  readonly #random: () => number;
  readonly #send: (order: GatewayOrder) => void;
  #next = 1;

  /** `random` gives 16 bits. */
  constructor(servers: readonly Address[], random: () => number, send: (order: GatewayOrder) => void) {
    this.#servers = servers;
    this.#random = random;
    this.#send = send;
  }

  /** Looks up addresses of one type; `done` may be called at once. */
  lookup(name: string, type: number, nowMs: number, done: (result: Resolved) => void): void {
    const key = `${type} ${name}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.until > nowMs) {
      done(cached.result);
      return;
    }
    const under = this.#byKey.get(key);
    if (under !== undefined) {
      under.done.push(done);
      return;
    }
    if (this.#servers.length === 0 || this.#lookups.size >= lookupsMax) {
      done(failure(dnsCode.serverFailure));
      return;
    }
    const lookup: Lookup = { key, type, name, ttl: 86_400, hops: 0, id: 0, tries: 0, deadline: 0, done: [done] };
    this.#byKey.set(key, lookup);
    this.#ask(lookup, nowMs);
  }

  /** Both kinds of addresses, version 4 first. */
  lookupAll(name: string, nowMs: number, done: (result: Resolved) => void): void {
    this.lookup(name, dnsType.A, nowMs, (four) =>
      this.lookup(name, dnsType.AAAA, nowMs, (six) => {
        const addresses = [...four.addresses, ...six.addresses];
        done({ addresses, ttl: Math.min(four.ttl, six.ttl), code: addresses.length > 0 ? 0 : four.code || six.code });
      }),
    );
  }

  answered(number: number, data: Uint8Array, nowMs: number): void {
    const lookup = this.#lookups.get(number);
    if (lookup === undefined) return;
    const answer = readAnswer(data, lookup.id, lookup.name, lookup.type);
    if (answer.state === "stray") return;
    this.#forget(number);
    if (answer.state === "failed") {
      // A server that can't is asked no more, the next one is; one that says there is no such name has answered.
      if (answer.code !== dnsCode.noSuchName && lookup.tries < triesMax && this.#servers.length > 1)
        this.#ask(lookup, nowMs);
      else this.#finish(lookup, failure(answer.code), nowMs);
      return;
    }
    lookup.ttl = Math.min(lookup.ttl, answer.ttl);
    if (answer.continueAt !== undefined && lookup.hops++ < hopsMax) {
      lookup.name = answer.continueAt;
      lookup.tries = 0;
      this.#ask(lookup, nowMs);
      return;
    }
    this.#finish(lookup, { addresses: answer.addresses, ttl: lookup.ttl, code: dnsCode.noError }, nowMs);
  }

  unanswered(number: number, nowMs: number): void {
    const lookup = this.#lookups.get(number);
    if (lookup === undefined) return;
    this.#forget(number);
    if (lookup.tries < triesMax) this.#ask(lookup, nowMs);
    else this.#finish(lookup, failure(dnsCode.serverFailure), nowMs);
  }

  /** Asks again where no answer came in time. */
  tick(nowMs: number): void {
    for (const [number, lookup] of [...this.#lookups]) if (lookup.deadline <= nowMs) this.unanswered(number, nowMs);
  }

  #ask(lookup: Lookup, nowMs: number): void {
    const server = this.#servers[lookup.tries % this.#servers.length];
    if (server === undefined) return;
    lookup.tries++;
    lookup.id = this.#random() & 0xffff;
    lookup.deadline = nowMs + tryMs;
    const number = this.#next++;
    this.#lookups.set(number, lookup);
    const data = writeQuery(lookup.id, lookup.name, lookup.type);
    this.#send({ record: "ask", lookup: number, ...wireAddress(server), port: 53, data });
  }

  #forget(number: number): void {
    this.#lookups.delete(number);
    this.#send({ record: "forget", lookup: number });
  }

  #finish(lookup: Lookup, result: Resolved, nowMs: number): void {
    this.#byKey.delete(lookup.key);
    if (result.code === dnsCode.noError) {
      if (this.#cache.size >= cacheMax) this.#cache.clear();
      this.#cache.set(lookup.key, { result, until: nowMs + Math.min(result.ttl * 1000, cacheMaxMs) });
    }
    for (const done of lookup.done) done(result);
  }
}

function failure(code: number): Resolved {
  return { addresses: [], ttl: 0, code };
}
