import { addressOf, systemCall } from "../ffi.ts";

/**
 * bpf(2) on maps that are pinned: thin covers of one command each, which return `-errno`. Everything here needs CAP_BPF, or a kernel
 * that lets anyone use bpf(2), and the right to open the pin.
 */

const bpfCall = process.arch === "arm64" ? 280 : 321;
const command = { lookup: 1, update: 2, remove: 3, nextKey: 4, get: 7 } as const;
const BPF_NOEXIST = 1;

const encoder = new TextEncoder();
/** union bpf_attr as far as these commands go: four numbers of 64 bits, of which the kernel has a copy when a call is over. */
const attributes = new Uint32Array(8);

/** Opens a pinned map; a descriptor, or `-errno`. */
export function openMap(path: string): number {
  const name = encoder.encode(`${path}\0`);
  point(0, name);
  attributes.fill(0, 2);
  return bpf(command.get, name);
}

/** Copies the value of a key into `value`; 0, or `-ENOENT`. */
export function lookup(map: number, key: Uint8Array, value: Uint8Array): number {
  return element(command.lookup, map, key, value, 0);
}

/** Writes a value; `exclusive`: `-EEXIST` when the key is there. */
export function update(map: number, key: Uint8Array, value: Uint8Array, exclusive = false): number {
  return element(command.update, map, key, value, exclusive ? BPF_NOEXIST : 0);
}

/** Deletes an entry, bpf(2) BPF_MAP_DELETE_ELEM; 0 or `-errno`. */
export function remove(map: number, key: Uint8Array): number {
  return element(command.remove, map, key, undefined, 0);
}

/** Copies the key after `key` into `next`, the first one when `key` is undefined; `-ENOENT` at the end. */
export function nextKey(map: number, key: Uint8Array | undefined, next: Uint8Array): number {
  return element(command.nextKey, map, key, next, 0);
}

function element(
  number: number,
  map: number,
  key: Uint8Array | undefined,
  value: Uint8Array | undefined,
  flags: number,
): number {
  attributes[0] = map;
  attributes[1] = 0;
  point(2, key);
  point(4, value);
  attributes[6] = flags;
  attributes[7] = 0;
  return bpf(number, key, value);
}

/** Puts the address of bytes there, 0 for none. Addresses of processes have 47 bits or, on some machines, 52: a number holds them. */
function point(at: number, bytes: Uint8Array | undefined): void {
  const address = bytes === undefined ? 0 : addressOf(bytes);
  attributes[at] = address;
  attributes[at + 1] = Math.floor(address / 2 ** 32);
}

/** The last arguments are what the attributes point to: named here, so that it is kept until the call is over. */
function bpf(number: number, ..._kept: readonly (Uint8Array | undefined)[]): number {
  return systemCall(bpfCall, number, addressOf(attributes), attributes.byteLength);
}
