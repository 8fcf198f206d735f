import { addressOf, systemCall } from "../ffi.ts";
import { call } from "../system-calls.ts";

/** Sockets between processes, and descriptors that come through them: unix(7). */

const unixFamily = 1;
const sequencedClosed = 1 | 0o2000000;
const closeOnExec = 0x40000000;
const dontWait = 0x40;
const controlHeaderBytes = 16;

/** A pair of connected stream sockets; `readEnd` is meant for a child, `writeEnd` stays here. Or `-errno`. */
export function createSocketPair(): { readonly readEnd: number; readonly writeEnd: number } | number {
  const ends = new Int32Array(2);
  const result = systemCall(call.socketpair, unixFamily, sequencedClosed, 0, addressOf(ends));
  return result < 0 ? result : { readEnd: ends[0] ?? -1, writeEnd: ends[1] ?? -1 };
}

/** The descriptors of the next message, without waiting: none where there is no message, `-errno` where there will be none. */
export function receiveDescriptors(socket: number, most: number): number[] | number {
  const byte = new Uint8Array(8);
  const part = new BigUint64Array([BigInt(addressOf(byte)), BigInt(byte.length)]);
  const control = new Uint8Array(controlHeaderBytes + 8 * most);
  const header = new BigUint64Array(7);
  header[2] = BigInt(addressOf(part));
  header[3] = 1n;
  header[4] = BigInt(addressOf(control));
  header[5] = BigInt(control.length);
  const got = systemCall(call.recvmsg, socket, addressOf(header), closeOnExec | dontWait);
  if (got === -11) return [];
  if (got <= 0) return got;
  const view = new DataView(control.buffer);
  const length = view.getUint32(0, true);
  const isRights = view.getInt32(8, true) === 1 && view.getInt32(12, true) === 1;
  if (Number(header[5]) < controlHeaderBytes || !isRights) return [];
  const count = (length - controlHeaderBytes) / 4;
  return Array.from({ length: count }, (_, index) => view.getInt32(controlHeaderBytes + 4 * index, true));
}
