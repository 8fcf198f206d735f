import type { Address } from "../../policy/address.ts";
import { dnsCode, dnsType, headerBytes, internetClass, readName, uint16, uint32 } from "./wire.ts";

/** What the host's resolver said. */
export type DnsAnswer =
  /** Not an answer to this question: to be waited past, since anyone may send a datagram. */
  | { readonly state: "stray" }
  | { readonly state: "failed"; readonly code: number }
  | {
      readonly state: "answered";
      readonly addresses: readonly Address[];
      /** Seconds: the least of all records on the way. */
      readonly ttl: number;
      /** Where a chain of CNAMEs ends that the answer holds no address for. */
      readonly continueAt: string | undefined;
    };

interface Alias {
  readonly target: string;
  readonly ttl: number;
}

const chainMax = 16;

/** Reads the answer to `writeQuery(id, name, type)`: addresses of the name itself or of what its CNAMEs lead to, and no others. */
export function readAnswer(bytes: Uint8Array, id: number, name: string, type: number): DnsAnswer {
  const asked = readName(bytes, headerBytes);
  if (bytes.length < headerBytes || uint16(bytes, 0) !== id || (bytes[2] ?? 0) < 0x80) return { state: "stray" };
  if (uint16(bytes, 4) !== 1 || asked?.name !== name || uint16(bytes, asked.next) !== type) return { state: "stray" };
  const code = (bytes[3] ?? 0) & 0xf;
  if (code !== dnsCode.noError) return { state: "failed", code };
  const aliases = new Map<string, Alias>();
  const addresses = new Map<string, { readonly address: Address; readonly ttl: number }[]>();
  let at = asked.next + 4;
  for (let count = uint16(bytes, 6); count > 0; count--) {
    const owner = readName(bytes, at);
    if (owner === undefined) break;
    const data = owner.next + 10;
    const size = uint16(bytes, owner.next + 8);
    if (data + size > bytes.length) break;
    const kind = uint16(bytes, owner.next);
    const ttl = Math.min(uint32(bytes, owner.next + 4), 86_400);
    if (uint16(bytes, owner.next + 2) === internetClass) {
      if (kind === dnsType.CNAME) {
        const target = readName(bytes, data);
        if (target !== undefined) aliases.set(owner.name, { target: target.name, ttl });
      } else if (kind === type && size === (type === dnsType.A ? 4 : 16)) {
        const list = addresses.get(owner.name) ?? [];
        list.push({ address: [...bytes.subarray(data, data + size)], ttl });
        addresses.set(owner.name, list);
      }
    }
    at = data + size;
  }
  let end = name;
  let ttl = 86_400;
  for (let hops = 0; hops < chainMax && !addresses.has(end); hops++) {
    const alias = aliases.get(end);
    if (alias === undefined) break;
    ttl = Math.min(ttl, alias.ttl);
    end = alias.target;
  }
  const found = addresses.get(end) ?? [];
  return {
    state: "answered",
    addresses: found.map(({ address }) => address),
    ttl: found.reduce((least, record) => Math.min(least, record.ttl), ttl),
    continueAt: found.length === 0 && end !== name && !aliases.has(end) ? end : undefined,
  };
}
