import { type Address, formatAddress } from "../policy/address.ts";
import { admitAddress, admitSpoken, type Hearing } from "./admission.ts";
import { denied, type EgressAttempt } from "./attempt.ts";
import { type DnsPorts, sift } from "./dns-service.ts";
import { StreamQueries } from "./dns-stream.ts";
import { firstBytesMax, readFirstBytes } from "./first-bytes.ts";
import { readAddress, wireAddress } from "./gateway/address.ts";
import { connectMode, type GatewayOrder, type GatewayReport } from "./gateway/contract.ts";
import { plainAddress } from "./special-ranges.ts";

type Of<R extends GatewayReport["record"]> = Extract<GatewayReport, { record: R }>;
type Standing = Parameters<typeof admitSpoken>[3];

interface Connection {
  readonly id: number;
  readonly address: Address;
  readonly port: number;
  readonly openedMs: number;
  phase: "hearing" | "resolving" | "flowing" | "dns";
  /** Whether the gateway was told to connect. */
  connected: boolean;
  standing: Standing;
  heard: Uint8Array;
  /** When a program that has begun to speak must have finished. */
  deadline: number;
  name: string | null;
  why: string;
  policyKey: string;
  /** Where to connect, in this order; the first is where it was connected last. */
  candidates: Address[];
  queries?: StreamQueries;
}

/** How long a program may take to say where it wants to go. */
const speakMs = 10_000;
const EHOSTUNREACH = 113;

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
    const connection: Connection = {
      id,
      address,
      port,
      openedMs: nowMs,
      phase: "hearing",
      connected: false,
      standing: "unknown",
      heard: new Uint8Array(),
      deadline: nowMs + speakMs,
      name: null,
      why: "",
      policyKey: "network.allowed_domains",
      candidates: [address],
    };
    this.#open.set(id, connection);
    const pinned = pins.namesOf(address, nowMs);
    const opening = admitAddress(rules, address, port, pinned);
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
    if (opening.act === "hear") return;
    connection.name = opening.act === "inspect" ? opening.name : (pinned[0] ?? null);
    if (opening.act === "connect") {
      connection.standing = "listed";
      connection.why = opening.why;
      connection.policyKey = opening.policyKey;
      if (!opening.listen) connection.phase = "flowing";
    } else {
      connection.standing = { pinned: opening.name };
      connection.why = "an allowed domain led to the address";
      connection.candidates = [address, ...this.#others(opening.name, address, port)];
      // Servers of some protocols speak first: their programs may be silent for as long as they like.
    }
    if (connection.connected || connection.phase === "hearing") connection.deadline = Number.POSITIVE_INFINITY;
    this.#connect(connection);
  }

  heard({ connection: id, side, data }: Of<"heard">, nowMs: number): void {
    const connection = this.#open.get(id);
    if (connection === undefined || side !== 0) return;
    if (connection.phase === "dns") {
      connection.deadline = nowMs + speakMs;
      connection.queries?.push(data, nowMs);
      return;
    }
    if (connection.heard.length === 0) connection.deadline = nowMs + speakMs;
    const all = new Uint8Array(Math.min(connection.heard.length + data.length, firstBytesMax));
    all.set(connection.heard);
    all.set(data.subarray(0, all.length - connection.heard.length), connection.heard.length);
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
    if (connection.candidates.length > 0) this.#connect(connection);
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
      this.#send({ record: "pass", connection: connection.id, skip: 0 });
      return;
    }
    connection.phase = "resolving";
    this.#ports.resolver.lookupAll(name, nowMs, ({ addresses }) => {
      if (this.#open.get(connection.id) !== connection) return;
      const { usable, refused } = sift(this.#ports.rules, addresses, connection.port);
      connection.candidates = [...usable];
      if (usable.length > 0) {
        this.#flow(connection);
        this.#connect(connection);
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

  #connect(connection: Connection): void {
    const [address] = connection.candidates;
    if (address === undefined) return;
    connection.connected = true;
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
      address: formatAddress(connection.candidates[0] ?? connection.address),
      port: connection.port,
      why: connection.why,
      policyKey: connection.policyKey,
      sentBytes: sent,
      receivedBytes: received,
      durationMs: nowMs - connection.openedMs,
      error,
    };
    this.#ports.report(attempt);
  }
}
