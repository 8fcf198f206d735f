import type { Address } from "../policy/address.ts";
import { attemptsMax, type EgressAttempt } from "./attempt.ts";
import { Connections } from "./connections.ts";
import { answerQuery, type DnsPorts } from "./dns-service.ts";
import type { EgressPlan } from "./egress-plan.ts";
import type { GatewayOrder, GatewayReport } from "./gateway/contract.ts";
import { readNotices } from "./notice.ts";
import { Pins } from "./pins.ts";
import { PublishedConnections } from "./published.ts";
import { Resolver } from "./resolver.ts";

/** What a session needs of the world. */
export interface SessionPorts {
  readonly send: (order: GatewayOrder) => void;
  readonly report: (attempt: EgressAttempt) => void;
  /** 16 bits that nobody can guess. */
  readonly random: () => number;
}

/** The egress of one zone: reports of its gateway in, orders and attempts out. Pure; time comes with each call. */
export class EgressSession {
  readonly #ports: DnsPorts;
  readonly #connections: Connections;
  readonly #published: PublishedConnections;
  readonly #send: (order: GatewayOrder) => void;
  readonly #listed = { allow: 0, deny: 0 };
  /** Attempts that were decided and not listed. */
  dropped = 0;

  constructor(
    { rules, proxies, publish }: Pick<EgressPlan, "rules" | "proxies" | "publish">,
    servers: readonly Address[],
    { send, report, random }: SessionPorts,
  ) {
    this.#send = send;
    this.#ports = {
      rules,
      proxies,
      pins: new Pins(),
      resolver: new Resolver(servers, random, send),
      report: (attempt) => {
        if (this.#listed[attempt.decision]++ < attemptsMax) report(attempt);
        else this.dropped++;
      },
    };
    this.#connections = new Connections(this.#ports, send);
    this.#published = new PublishedConnections(publish, { send, report: this.#ports.report });
  }

  receive(report: GatewayReport, nowMs: number): void {
    switch (report.record) {
      case "opened":
        this.#connections.opened(report, nowMs);
        return;
      case "heard":
        this.#connections.heard(report, nowMs);
        return;
      case "spoke":
        this.#connections.spoke(report);
        return;
      case "published":
        this.#published.opened(report, nowMs);
        return;
      case "failed":
        if (this.#published.has(report.connection)) this.#published.failed(report, nowMs);
        else this.#connections.failed(report, nowMs);
        return;
      case "closed":
        if (this.#published.has(report.connection)) this.#published.closed(report, nowMs);
        else this.#connections.closed(report, nowMs);
        return;
      case "asked":
        answerQuery(this.#ports, report.data, true, nowMs, (data = new Uint8Array()) =>
          this.#send({ record: "answer", query: report.query, data }),
        );
        return;
      case "answered":
        this.#ports.resolver.answered(report.lookup, report.data, nowMs);
        return;
      case "unanswered":
        this.#ports.resolver.unanswered(report.lookup, nowMs);
        return;
      case "noticed":
        for (const attempt of readNotices(report.data)) this.#ports.report(attempt);
        return;
      case "dropped":
        this.dropped += report.queries + report.notices;
    }
  }

  /** What is due by the clock; to be called several times a second. */
  tick(nowMs: number): void {
    this.#ports.resolver.tick(nowMs);
    this.#connections.tick(nowMs);
  }
}
