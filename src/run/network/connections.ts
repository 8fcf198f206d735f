import { type Address, formatAddress, parseAddress } from "../policy/address.ts";
import { admitAddress, admitName, admitSpoken, type Hearing } from "./admission.ts";
import { denied, type EgressAttempt } from "./attempt.ts";
import { concatenate } from "./bytes.ts";
import { type Connection, newConnection, speakMs } from "./connection.ts";
import { type DnsPorts, sift } from "./dns-service.ts";
import { StreamQueries } from "./dns-stream.ts";
import { firstBytesMax, readFirstBytes } from "./first-bytes.ts";
import { readAddress, wireAddress } from "./gateway/address.ts";
import { connectMode, type GatewayOrder, type GatewayReport } from "./gateway/contract.ts";
import { connectRequest, type HttpProxy, proxyFor, readProxyReply } from "./proxy.ts";
import { plainAddress } from "./special-ranges.ts";

type Of<R extends GatewayReport["record"]> = Extract<GatewayReport, { record: R }>;

const EHOSTUNREACH = 113;
const ECONNREFUSED = 111;

/**
 * The connections that programs of the zone opened, each from the first packet to the last: what may go where, by address and by what
 * is said. Pure: reports of the gateway come in, orders go out.
 */
export class Connections {
  readonly #open = new Map<number, Connection>();
  readonly #ports: DnsPorts;
  readonly #send: (order: GatewayOrder) => void;

  constructor(ports: DnsPorts, send: (order: GatewayOrder) => void) {
    this.#ports = ports;
    this.#send = send;
  }

  opened({ connection: id, family, port, address: bytes }: Of<"opened">, nowMs: number): void {
    const { rules, pins } = this.#ports;
    const address = plainAddress(readAddress(family, bytes));
    const connection = newConnection(id, address, port, nowMs);
    this.#open.set(id, connection);
    const pinned = pins.namesOf(address, nowMs);
    const stoodFor = pins.stoodFor(address);
    const opening =
      stoodFor === undefined ? admitAddress(rules, address, port, pinned) : admitName(rules, stoodFor, port);
    // By TCP too, names are asked for here and nowhere else.
    if (port === 53 && opening.act !== "connect") {
      connection.phase = "dns";
      connection.queries = new StreamQueries(this.#ports, (data) => this.#reply(connection, data));
      return;
    }
    if (opening.act === "deny") {
      this.#deny(connection, opening);
      return;
    }
    // What stands for a name is no address to go to: without the proxy, the name must be looked up after all.
    if (opening.act === "hear" || (stoodFor !== undefined && this.#proxyOf(stoodFor, address, port) === undefined))
      return;
    connection.name = opening.act === "inspect" ? opening.name : (pinned[0] ?? null);
    if (opening.act === "connect") {
      connection.standing = "listed";
      connection.why = opening.why;
      connection.policyKey = opening.policyKey;
      if (!opening.listen) connection.phase = "flowing";
    } else {
      connection.standing = { pinned: opening.name };
      connection.why = "an allowed domain led to the address";
      if (stoodFor === undefined) connection.candidates = [address, ...this.#others(opening.name, address, port)];
      // Servers of some protocols speak first: their programs may be silent for as long as they like.
    }
    if (connection.connected || connection.phase === "hearing") connection.deadline = Number.POSITIVE_INFINITY;
    this.#connect(connection, nowMs);
  }

  heard({ connection: id, side, data }: Of<"heard">, nowMs: number): void {
    const connection = this.#open.get(id);
    if (connection === undefined) return;
    if (side !== 0) {
      this.#heardProxy(connection, data, nowMs);
      return;
    }
    if (connection.phase === "dns") {
      connection.deadline = nowMs + speakMs;
      connection.queries?.push(data, nowMs);
      return;
    }
    if (connection.heard.length === 0) connection.deadline = nowMs + speakMs;
    const all = concatenate(connection.heard, data, firstBytesMax);
    connection.heard = all;
    if (connection.phase !== "hearing") return;
    const { standing, port } = connection;
    const isSsh = all[0] === 83 && all[1] === 83 && all[2] === 72 && all[3] === 45;
    const hearing = admitSpoken(this.#ports.rules, readFirstBytes(all), port, standing, isSsh);
    if (hearing.act === "deny") this.#deny(connection, hearing);
    else if (hearing.act === "admit") this.#admit(connection, hearing, nowMs);
  }

  /** The server spoke first: no protocol that names its host does that. */
  spoke({ connection: id }: Of<"spoke">): void {
    const connection = this.#open.get(id);
    if (connection !== undefined) this.#flow(connection);
  }

  failed({ connection: id, error }: Of<"failed">, nowMs: number): void {
    const connection = this.#open.get(id);
    if (connection === undefined) return;
    connection.candidates.shift();
    if (connection.candidates.length > 0 && connection.proxy === undefined) this.#connect(connection, nowMs);
    else this.#end(connection, error, 0, 0, nowMs);
  }

  closed({ connection: id, error, sent, received }: Of<"closed">, nowMs: number): void {
    const connection = this.#open.get(id);
    if (connection === undefined) return;
    if (connection.connected) this.#end(connection, error, sent, received, nowMs, false);
    else if (connection.phase !== "dns") {
      const why = "the program ended the connection before it had said where it goes";
      this.#deny(connection, { why, policyKey: "network.allowed_egress", name: null }, false);
    }
    this.#open.delete(id);
  }

  tick(nowMs: number): void {
    for (const connection of [...this.#open.values()]) {
      if (connection.phase === "flowing" || connection.phase === "resolving" || connection.deadline > nowMs) continue;
      if (connection.phase === "dns") this.#reply(connection, new Uint8Array());
      else {
        const why = `the program has not said where it goes within ${speakMs / 1000} s`;
        this.#deny(connection, { why, policyKey: "network.allowed_egress", name: null });
      }
    }
  }

  /** The name that the program itself says decides; where nothing had led it to the address, so does where the name leads. */
  #admit(connection: Connection, { name, why }: Extract<Hearing, { act: "admit" }>, nowMs: number): void {
    connection.name = name ?? connection.name;
    connection.why = connection.standing === "listed" ? connection.why : why;
    if (connection.connected || name === undefined) {
      this.#flow(connection);
      this.#pass(connection);
      return;
    }
    if (this.#proxyOf(name, connection.address, connection.port) !== undefined) {
      this.#flow(connection);
      this.#connect(connection, nowMs);
      return;
    }
    connection.phase = "resolving";
    this.#ports.resolver.lookupAll(name, nowMs, ({ addresses }) => {
      if (this.#open.get(connection.id) !== connection) return;
      const { usable, refused } = sift(this.#ports.rules, addresses, connection.port);
      connection.candidates = [...usable];
      if (usable.length > 0) {
        this.#flow(connection);
        this.#connect(connection, nowMs);
        return;
      }
      if (refused === undefined) this.#end(connection, EHOSTUNREACH, 0, 0, nowMs);
      else this.#deny(connection, { why: refused.why, policyKey: "network.allowed_egress", name });
    });
  }

  #flow(connection: Connection): void {
    connection.phase = "flowing";
    connection.heard = new Uint8Array();
  }

  /** Other addresses of a name: a host may have no way to the one that the program chose. */
  #others(name: string, address: Address, port: number): Address[] {
    const others = this.#ports.pins
      .addressesOf(name)
      .filter((other) => formatAddress(other) !== formatAddress(address));
    return [...sift(this.#ports.rules, others, port).usable];
  }

  #proxyOf(name: string | null, address: Address, port: number): HttpProxy | undefined {
    return proxyFor(this.#ports.proxies, name, address, port);
  }

  /** Lets bytes flow; not before a proxy has connected. */
  #pass(connection: Connection): void {
    const { proxy } = connection;
    if (proxy !== undefined && proxy.length === undefined) return;
    this.#send({ record: "pass", connection: connection.id, skip: proxy?.length ?? 0 });
  }

  #connectBy(connection: Connection, proxy: HttpProxy, address: Address, nowMs: number): void {
    connection.proxy = { said: new Uint8Array() };
    const go = (at: Address | undefined) => {
      if (this.#open.get(connection.id) !== connection) return;
      if (at === undefined) {
        this.#end(connection, EHOSTUNREACH, 0, 0, nowMs);
        return;
      }
      const target = { connection: connection.id, ...wireAddress(at), port: proxy.port, mode: connectMode.handshake };
      const data = connectRequest(proxy, connection.name, address, connection.port);
      this.#send({ record: "connect", ...target, data });
    };
    const literal = proxy.host === "localhost" ? ([127, 0, 0, 1] as const) : parseAddress(proxy.host);
    if (literal !== undefined) go(literal);
    else this.#ports.resolver.lookupAll(proxy.host, nowMs, ({ addresses }) => go(addresses[0]));
  }

  /** What the proxy says; behind its own words may stand the server's first. */
  #heardProxy(connection: Connection, data: Uint8Array, nowMs: number): void {
    const { proxy } = connection;
    if (proxy === undefined) return;
    proxy.said = concatenate(proxy.said, data);
    const reply = readProxyReply(proxy.said);
    if (reply.state === "refused") {
      proxy.refusal = reply.why;
      this.#end(connection, ECONNREFUSED, 0, 0, nowMs);
      return;
    }
    if (reply.state === "more") return;
    proxy.length = reply.length;
    const serverFirst = proxy.said.length > reply.length && connection.heard.length === 0;
    if (connection.phase === "hearing" && !serverFirst) return;
    this.#flow(connection);
    this.#pass(connection);
  }

  #connect(connection: Connection, nowMs: number): void {
    const [address] = connection.candidates;
    if (address === undefined) return;
    connection.connected = true;
    const proxy = this.#proxyOf(connection.name, address, connection.port);
    if (proxy !== undefined) {
      this.#connectBy(connection, proxy, address, nowMs);
      return;
    }
    const mode = connection.phase === "flowing" ? connectMode.open : connectMode.inspect;
    const target = { connection: connection.id, ...wireAddress(address), port: connection.port };
    this.#send({ record: "connect", ...target, mode, data: new Uint8Array() });
  }

  #reply(connection: Connection, data: Uint8Array): void {
    this.#open.delete(connection.id);
    this.#send({ record: "reply", connection: connection.id, data });
  }

  #deny(
    connection: Connection,
    { why, policyKey, name }: Omit<Extract<Hearing, { act: "deny" }>, "act">,
    isOpen = true,
  ): void {
    this.#open.delete(connection.id);
    if (isOpen) this.#send({ record: "refuse", connection: connection.id });
    const what = { protocol: "tcp", name, address: formatAddress(connection.address), port: connection.port } as const;
    this.#ports.report(denied(what, why, policyKey));
  }

  #end(connection: Connection, error: number, sent: number, received: number, nowMs: number, isOpen = true): void {
    this.#open.delete(connection.id);
    if (isOpen) this.#send({ record: "refuse", connection: connection.id });
    const attempt: EgressAttempt = {
      decision: "allow",
      protocol: "tcp",
      name: connection.name,
      address: connection.proxy === undefined ? formatAddress(connection.candidates[0] ?? connection.address) : null,
      port: connection.port,
      why: `${connection.why}${proxyWords(connection)}`,
      policyKey: connection.policyKey,
      sentBytes: sent,
      receivedBytes: received,
      durationMs: nowMs - connection.openedMs,
      error,
    };
    this.#ports.report(attempt);
  }
}

function proxyWords({ proxy }: Connection): string {
  if (proxy === undefined) return "";
  return proxy.refusal === undefined ? ", by the caller's proxy" : `, by the caller's proxy: ${proxy.refusal}`;
}
