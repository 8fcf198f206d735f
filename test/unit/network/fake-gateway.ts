/** A gateway by hand: reports go into a session, its orders and attempts are kept. */
import { parsePublish } from "../../../src/run/bridge/publish.ts";
import type { EgressAttempt } from "../../../src/run/network/attempt.ts";
import { makeEgressRules } from "../../../src/run/network/egress-rules.ts";
import { readAddress, wireAddress } from "../../../src/run/network/gateway/address.ts";
import type { GatewayOrder, GatewayReport } from "../../../src/run/network/gateway/contract.ts";
import { readProxies } from "../../../src/run/network/proxy.ts";
import { EgressSession } from "../../../src/run/network/session.ts";
import { formatAddress, parseAddress } from "../../../src/run/policy/address.ts";

export interface Wish {
  readonly domains?: readonly string[];
  readonly denied?: readonly string[];
  readonly egress?: readonly string[];
  readonly servers?: readonly string[];
  readonly publish?: readonly string[];
  /** Of the environment: http_proxy and the like. */
  readonly env?: Readonly<Record<string, string>>;
}

export const parsed = (text: string) => parseAddress(text) ?? [];

export class FakeGateway {
  readonly orders: GatewayOrder[] = [];
  readonly attempts: EgressAttempt[] = [];
  readonly session: EgressSession;
  now = 1000;

  constructor({ domains = [], denied = [], egress = [], servers = ["192.0.2.53"], env = {}, publish = [] }: Wish = {}) {
    const rules = makeEgressRules({ allowedDomains: domains, deniedDomains: denied, allowedEgress: egress });
    let id = 0;
    const ports = publish.map(parsePublish).flatMap((port) => (port.ok ? [port.value] : []));
    this.session = new EgressSession(
      { rules, proxies: readProxies(env).proxies, publish: ports },
      servers.map(parsed),
      {
        send: (order) => this.orders.push(order),
        report: (attempt) => this.attempts.push(attempt),
        random: () => ++id,
      },
    );
  }

  receive(report: GatewayReport): void {
    this.session.receive(report, this.now);
  }

  open(connection: number, address: string, port: number): void {
    this.receive({ record: "opened", connection, port, ...wireAddress(parsed(address)) });
  }

  hear(connection: number, data: Uint8Array | string): void {
    const bytes = typeof data === "string" ? Uint8Array.from(data, (char) => char.charCodeAt(0)) : data;
    this.receive({ record: "heard", connection, side: 0, data: bytes });
  }

  pass(ms: number): void {
    this.now += ms;
    this.session.tick(this.now);
  }

  /** The orders since the last call, in words. */
  take(): string[] {
    return this.orders.splice(0).map((order) => {
      if (order.record === "connect") {
        const address = formatAddress(readAddress(order.family, order.address));
        return `connect ${order.connection} ${address} ${order.port} ${["open", "inspect", "handshake"][order.mode]}`;
      }
      if (order.record === "ask")
        return `ask ${order.lookup} ${formatAddress(readAddress(order.family, order.address))}`;
      if ("connection" in order) return `${order.record} ${order.connection}`;
      return "query" in order ? `answer ${order.query}` : "lookup" in order ? `forget ${order.lookup}` : order.record;
    });
  }

  /** The one order that a call led to, whole. */
  last(): GatewayOrder {
    const order = this.orders.at(-1);
    if (order === undefined) throw new Error("no order was given");
    return order;
  }

  /** Answers every lookup that is under way with these addresses: those of its type. */
  resolve(names: Readonly<Record<string, readonly string[]>>): void {
    for (let asks = this.#asks(); asks.length > 0; asks = this.#asks()) {
      for (const ask of asks) this.receive({ record: "answered", lookup: ask.lookup, data: answerTo(ask.data, names) });
    }
  }

  readonly #answered = new Set<number>();

  #asks() {
    const asks = this.orders
      .filter((order) => order.record === "ask")
      .filter(({ lookup }) => !this.#answered.has(lookup));
    for (const { lookup } of asks) this.#answered.add(lookup);
    return asks;
  }
}

/** An answer with all addresses of the type that the names have. */
export function answerTo(query: Uint8Array, names: Readonly<Record<string, readonly string[]>>): Uint8Array {
  const labels: string[] = [];
  let at = 12;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(new TextDecoder().decode(query.slice(at + 1, at + 1 + size)));
    at += size + 1;
  }
  const type = query[at + 2] ?? 0;
  const addresses = (names[labels.join(".")] ?? [])
    .map(parsed)
    .filter(({ length }) => (length === 4 ? 1 : 28) === type);
  const records = addresses.flatMap((address) => [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length, ...address]);
  const code = labels.join(".") in names ? 0 : 3;
  const head = [query[0] ?? 0, query[1] ?? 0, 0x81, 0x80 | code, 0, 1, 0, addresses.length, 0, 0, 0, 0];
  return new Uint8Array([...head, ...query.slice(12, at + 5), ...records]);
}
