import { type Address, formatAddress } from "../policy/address.ts";

/**
 * Which names led to which addresses: an address is reached because a name that the zone may use resolved to it. A pin outlives the
 * record's TTL, since programs keep addresses longer than they should.
 */
export class Pins {
  readonly #byAddress = new Map<string, Map<string, number>>();
  readonly #byName = new Map<string, Address[]>();
  readonly #standIns = new Map<string, Address>();
  readonly #stoodFor = new Map<string, string>();
  #count = 0;

  /** `ttl` in seconds; what a zone can pin is bounded, the oldest goes first. */
  add(name: string, addresses: readonly Address[], ttl: number, nowMs: number): void {
    const until = nowMs + Math.max(ttl, leastSeconds) * 1000;
    const known = this.#byName.get(name) ?? [];
    for (const address of addresses) {
      const key = formatAddress(address);
      const names = this.#byAddress.get(key) ?? new Map<string, number>();
      if (!names.has(name)) this.#count++;
      names.set(name, Math.max(until, names.get(name) ?? 0));
      this.#byAddress.set(key, names);
      if (!known.some((other) => formatAddress(other) === key)) known.unshift(address);
    }
    this.#byName.delete(name);
    this.#byName.set(name, known.slice(0, addressesMax));
    this.#shrink();
  }

  /** Names that are pinned to an address now. */
  namesOf(address: Address, nowMs: number): string[] {
    const names = this.#byAddress.get(formatAddress(address));
    if (names === undefined) return [];
    return [...names].filter(([, until]) => until > nowMs).map(([name]) => name);
  }

  /** Addresses that a name was resolved to, newest first. */
  addressesOf(name: string): readonly Address[] {
    return this.#byName.get(name) ?? [];
  }

  /** An address that stands for a name, of the range for benchmarks: nothing else has it, and it never leaves the host. */
  standIn(name: string): Address {
    let address = this.#standIns.get(name);
    if (address === undefined) {
      const number = this.#standIns.size % standInsMax;
      address = [198, 18 + (number >> 16), (number >> 8) & 0xff, number & 0xff];
      this.#standIns.set(name, address);
      this.#stoodFor.set(formatAddress(address), name);
    }
    return address;
  }

  /** The name that an address stands for. */
  stoodFor(address: Address): string | undefined {
    return this.#stoodFor.get(formatAddress(address));
  }

  #shrink(): void {
    for (const [key, names] of this.#byAddress) {
      if (this.#count <= pinsMax) return;
      this.#count -= names.size;
      this.#byAddress.delete(key);
    }
    for (const name of this.#byName.keys()) {
      if (this.#byName.size <= pinsMax) return;
      this.#byName.delete(name);
    }
  }
}

/** However short a TTL: programs look up once and connect again and again. */
const leastSeconds = 600;
const pinsMax = 4096;
/** 198.18.0.0/15 */
const standInsMax = 1 << 17;
const addressesMax = 32;
