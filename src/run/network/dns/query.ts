import type { Address } from "../../policy/address.ts";
import { bytes16, bytes32, dnsCode, dnsType, headerBytes, internetClass, readName, uint16, writeName } from "./wire.ts";

/** A question that a program of the zone asked. */
export interface DnsQuery {
  readonly id: number;
  readonly recursion: boolean;
  /** Lower case, without the dot at the end. */
  readonly name: string;
  readonly type: number;
  /** The question as it was asked: the answer repeats it, letter case and all. */
  readonly question: Uint8Array;
  /** Bytes of answer that the asker takes by UDP; undefined without EDNS. */
  readonly payload: number | undefined;
}

/** A query, or what becomes of a message that is none. */
export type ReadQuery =
  | { readonly ok: true; readonly query: DnsQuery }
  /** `reply` is what to say; undefined for what deserves no answer. */
  | { readonly ok: false; readonly reply: Uint8Array | undefined };

/** Reads a query: one question, class IN. Whatever else it carries is not looked at and goes nowhere. */
export function readQuery(bytes: Uint8Array): ReadQuery {
  if (bytes.length < headerBytes || (bytes[2] ?? 0x80) >= 0x80) return { ok: false, reply: undefined };
  const fail = (code: number): ReadQuery => ({
    ok: false,
    reply: replyHeader(uint16(bytes, 0), bytes[2] ?? 0, code, 0, 0),
  });
  if (((bytes[2] ?? 0) & 0x78) !== 0) return fail(dnsCode.notImplemented);
  if (uint16(bytes, 4) !== 1) return fail(dnsCode.formatError);
  const read = readName(bytes, headerBytes);
  if (read === undefined || read.next + 4 > bytes.length) return fail(dnsCode.formatError);
  if (uint16(bytes, read.next + 2) !== internetClass) return fail(dnsCode.notImplemented);
  return {
    ok: true,
    query: {
      id: uint16(bytes, 0),
      recursion: ((bytes[2] ?? 0) & 1) !== 0,
      name: read.name,
      type: uint16(bytes, read.next),
      question: bytes.slice(headerBytes, read.next + 4),
      payload: payloadOf(bytes, read.next + 4),
    },
  };
}

/** The EDNS payload size: an OPT record right behind the question, as every resolver sends it. RFC 6891. */
function payloadOf(bytes: Uint8Array, at: number): number | undefined {
  if (uint16(bytes, 10) === 0 || bytes[at] !== 0 || at + 11 > bytes.length) return undefined;
  return uint16(bytes, at + 1) === dnsType.OPT ? Math.max(512, uint16(bytes, at + 3)) : undefined;
}

function replyHeader(id: number, flags: number, code: number, questions: number, answers: number): Uint8Array {
  return new Uint8Array([
    ...bytes16(id),
    0x80 | (flags & 0x79),
    0x80 | code,
    ...bytes16(questions),
    ...bytes16(answers),
    0,
    0,
    0,
    0,
  ]);
}

/** An answer without records. */
export function emptyReply(query: DnsQuery, code: number): Uint8Array {
  return addressReply(query, [], 0, code);
}

/**
 * An answer with addresses, all under the name that was asked for. `limit` bytes at most: what does not fit is left out and the
 * answer marked as cut, so that the asker comes again by TCP.
 */
export function addressReply(
  query: DnsQuery,
  addresses: readonly Address[],
  ttl: number,
  code: number = dnsCode.noError,
  limit = 65_535,
): Uint8Array {
  const opt = query.payload === undefined ? [] : [0, ...bytes16(dnsType.OPT), ...bytes16(1232), 0, 0, 0, 0, 0, 0];
  const room = limit - headerBytes - query.question.length - opt.length;
  const records: number[] = [];
  let count = 0;
  for (const address of addresses) {
    const type = address.length === 4 ? dnsType.A : dnsType.AAAA;
    const record = [
      0xc0,
      headerBytes,
      ...bytes16(type),
      ...bytes16(internetClass),
      ...bytes32(ttl),
      0,
      address.length,
      ...address,
    ];
    if (records.length + record.length > room) break;
    records.push(...record);
    count++;
  }
  const head = replyHeader(query.id, query.recursion ? 1 : 0, code, 1, count);
  if (count < addresses.length) head[2] = (head[2] ?? 0) | 2;
  if (opt.length > 0) head[11] = 1;
  return new Uint8Array([...head, ...query.question, ...records, ...opt]);
}

/** A query of Rauha's own for the host's resolver. */
export function writeQuery(id: number, name: string, type: number): Uint8Array {
  const opt = [0, ...bytes16(dnsType.OPT), ...bytes16(1232), 0, 0, 0, 0, 0, 0];
  return new Uint8Array([
    ...bytes16(id),
    1,
    0,
    ...[0, 1, 0, 0, 0, 0, 0, 1],
    ...writeName(name),
    ...bytes16(type),
    ...bytes16(internetClass),
    ...opt,
  ]);
}
