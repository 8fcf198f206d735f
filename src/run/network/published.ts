import { formatPublish, type PublishedPort } from "../bridge/publish.ts";
import { formatAddress } from "../policy/address.ts";
import type { EgressAttempt } from "./attempt.ts";
import { readAddress } from "./gateway/address.ts";
import type { GatewayOrder, GatewayReport } from "./gateway/contract.ts";

type Of<R extends GatewayReport["record"]> = Extract<GatewayReport, { record: R }>;

interface Incoming {
  readonly from: Of<"published">;
  readonly openedMs: number;
}

/**
 * Connections from the host to ports that the zone publishes. There is nothing to decide: the caller has asked for the port. Each is told
 * of when it has ended.
 */
export class PublishedConnections {
  readonly #open = new Map<number, Incoming>();
  readonly #publish: readonly PublishedPort[];
  readonly #ports: { readonly send: (order: GatewayOrder) => void; readonly report: (attempt: EgressAttempt) => void };

  constructor(
    publish: readonly PublishedPort[],
    ports: { readonly send: (order: GatewayOrder) => void; readonly report: (attempt: EgressAttempt) => void },
  ) {
    this.#publish = publish;
    this.#ports = ports;
  }

  opened(from: Of<"published">, openedMs: number): void {
    this.#open.set(from.connection, { from, openedMs });
  }

  /** Whether the connection is one of these: then its end is none of the zone's own connections'. */
  has(connection: number): boolean {
    return this.#open.has(connection);
  }

  /** Nobody listens in the zone: who came is reset. */
  failed({ connection, error }: Of<"failed">, nowMs: number): void {
    this.#ports.send({ record: "refuse", connection });
    this.#end(connection, error, 0, 0, nowMs);
  }

  closed({ connection, error, sent, received }: Of<"closed">, nowMs: number): void {
    this.#end(connection, error, received, sent, nowMs);
  }

  #end(connection: number, error: number, sentBytes: number, receivedBytes: number, nowMs: number): void {
    const incoming = this.#open.get(connection);
    const port = this.#publish[incoming?.from.listener ?? -1];
    this.#open.delete(connection);
    if (incoming === undefined || port === undefined) return;
    this.#ports.report({
      inbound: true,
      decision: "allow",
      protocol: "tcp",
      name: null,
      address: formatAddress(readAddress(4, incoming.from.address)),
      port: incoming.from.port,
      why: `--publish ${formatPublish(port)}`,
      policyKey: null,
      sentBytes,
      receivedBytes,
      durationMs: nowMs - incoming.openedMs,
      error,
    });
  }
}
