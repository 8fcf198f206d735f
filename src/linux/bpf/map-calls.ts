import { addressOf, systemCall } from "../ffi.ts";

/**
 * bpf(2) on maps that are pinned: thin covers of one command each, which return `-errno`. Everything here needs CAP_BPF, or a kernel
 * that lets anyone use bpf(2), and the right to open the pin.
 */

const bpfCall = process.arch === "arm64" ? 280 : 321;
const command = { lookup: 1, update: 2, remove: 3, nextKey: 4, get: 7 } as const;
const BPF_NOEXIST = 1n;

/** Opens a pinned map; a descriptor, or `-errno`. */
export function openMap(path: string): number {
  const name = new TextEncoder().encode(`${path}\0`);
  return bpf(command.get, BigUint64Array.of(BigInt(addressOf(name)), 0n), name);
}

/** Copies the value of a key into `value`; 0, or `-ENOENT`. */
export function lookup(map: number, key: Uint8Array, value: Uint8Array): number {
  return element(command.lookup, map, key, value, 0n);
}

/** Writes a value; `exclusive`: `-EEXIST` when the key is there. */
export function update(map: number, key: Uint8Array, value: Uint8Array, exclusive = false): number {
  return element(command.update, map, key, value, exclusive ? BPF_NOEXIST : 0n);
}

export function remove(map: number, key: Uint8Array): number {
  return element(command.remove, map, key, undefined, 0n);
}

/** Copies the key after `key` into `next`, the first one when `key` is undefined; `-ENOENT` at the end. */
export function nextKey(map: number, key: Uint8Array | undefined, next: Uint8Array): number {
  return element(command.nextKey, map, key, next, 0n);
}

/** All keys, up to `limit`; a map that others write to meanwhile may show a key twice or leave out a new one. */
export function keysOf(map: number, size: number, limit: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (let last: Uint8Array | undefined; keys.length < limit; ) {
    const next = new Uint8Array(size);
    if (nextKey(map, last, next) < 0) break;
    keys.push(next);
    last = next;
  }
  return keys;
}

function element(
  number: number,
  map: number,
  key: Uint8Array | undefined,
  value: Uint8Array | undefined,
  flags: bigint,
) {
  const address = (bytes: Uint8Array | undefined) => (bytes === undefined ? 0n : BigInt(addressOf(bytes)));
  return bpf(number, BigUint64Array.of(BigInt(map), address(key), address(value), flags), key, value);
}

/** The last arguments are what the attributes point to: named here, so that it is kept until the call is over. */
function bpf(number: number, attributes: BigUint64Array, ..._kept: readonly (Uint8Array | undefined)[]): number {
  return systemCall(bpfCall, number, addressOf(attributes), attributes.byteLength);
}
