import { concatenate } from "./bytes.ts";
import { bytes16, uint16 } from "./dns/wire.ts";
import { answerQuery, type DnsPorts } from "./dns-service.ts";

/** Queries that one connection may carry, and how large a query may be. */
const queriesMax = 16;
const queryMax = 1024;

/**
 * DNS by TCP: queries with their length before them (RFC 7766), answered together once all that have come are answered. The connection
 * ends then, as the RFC allows.
 */
export class StreamQueries {
  readonly #ports: DnsPorts;
  readonly #end: (data: Uint8Array) => void;
  #rest: Uint8Array = new Uint8Array();
  #waiting = 0;
  #count = 0;
  #reply: number[] = [];

  /** `end` is called once, with all answers; without any for what is no DNS. */
  constructor(ports: DnsPorts, end: (data: Uint8Array) => void) {
    this.#ports = ports;
    this.#end = end;
  }

  push(data: Uint8Array, nowMs: number): void {
    const all = concatenate(this.#rest, data);
    const queries: Uint8Array[] = [];
    let at = 0;
    while (at + 2 <= all.length) {
      const size = uint16(all, at);
      if (size > queryMax || ++this.#count > queriesMax) {
        this.#end(new Uint8Array());
        return;
      }
      if (at + 2 + size > all.length) {
        this.#count--;
        break;
      }
      queries.push(all.slice(at + 2, at + 2 + size));
      at += 2 + size;
    }
    this.#rest = all.slice(at);
    // Counted before the first is asked: an answer may be there at once.
    this.#waiting += queries.length;
    for (const query of queries) answerQuery(this.#ports, query, false, nowMs, (reply) => this.#answered(reply));
  }

  #answered(reply: Uint8Array | undefined): void {
    if (reply !== undefined) this.#reply.push(...bytes16(reply.length), ...reply);
    if (--this.#waiting === 0) this.#end(new Uint8Array(this.#reply));
  }
}
