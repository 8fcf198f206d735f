import { capabilityMask } from "../run/capabilities.ts";
import type { Policy } from "../run/policy/policy.ts";
import { type MapName, policyFlag } from "./contract.ts";
import { policyAt, policyBytes, zoneAt, zoneBytes } from "./layout.gen.ts";

/** Who a zone is and where it lies, as its entry in the maps says it. */
export interface ZoneEntry {
  readonly id: string;
  /** Its other name, which no other zone can have at the same time. */
  readonly name: string;
  /** What other zones' `allowed_zones` name it by: any number of zones may share that. */
  readonly contactName: string;
  /** Inode number of its cgroup's directory. */
  readonly cgroup: bigint;
  /** Levels of the cgroup tree that the directory may be at: one, or several where nobody says how deep the caller is. */
  readonly levels: readonly number[];
  readonly policy: Policy;
  readonly createdMs: number;
  /** The process that takes the entry away again, and when the entry was made, CLOCK_BOOTTIME. */
  readonly owner: { readonly pid: number; readonly madeNs: bigint };
  readonly uid: number;
}

/** One write to a map. `exclusive`: an error when the key is there already. */
export interface Put {
  readonly map: MapName;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly exclusive: boolean;
}

/**
 * The writes that make a zone, in their order; `addresses` are those of its lists of addresses (address-rules.ts). The zone itself first,
 * since the sweep of what a killed run left goes by that; nothing runs in it before all are made. A name can't be had by two zones.
 *
 * Each start comes by here: no table is walked, and nothing is made that the policy does not ask for.
 */
export function zonePuts(entry: ZoneEntry, addresses: readonly Put[] = []): Put[] {
  const cgroup = u64(entry.cgroup);
  const puts: Put[] = [
    { map: "rauha_zones", key: cgroup, value: zoneRecord(entry), exclusive: true },
    { map: "rauha_policies", key: cgroup, value: policyRecord(entry.policy), exclusive: false },
  ];
  for (const name of entry.policy.network.allowedZones)
    puts.push({ map: "rauha_contact", key: contactOf(entry.cgroup, name), value: u64(1n), exclusive: false });
  puts.push(...addresses);
  for (const level of entry.levels)
    puts.push({ map: "rauha_levels", key: u32(level), value: u64(1n), exclusive: false });
  puts.push({ map: "rauha_names", key: nameKey(entry.id), value: cgroup, exclusive: true });
  if (entry.name !== entry.id)
    puts.push({ map: "rauha_names", key: nameKey(entry.name), value: cgroup, exclusive: true });
  return puts;
}

/** A zone's record: value of `rauha_zones`. */
export function zoneRecord(entry: ZoneEntry): Uint8Array {
  const bytes = new Uint8Array(zoneBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(zoneAt.cgroup, entry.cgroup, true);
  view.setBigUint64(zoneAt.created_ms, BigInt(entry.createdMs), true);
  view.setBigUint64(zoneAt.made_ns, entry.owner.madeNs, true);
  view.setUint32(zoneAt.owner_pid, entry.owner.pid, true);
  view.setUint32(zoneAt.uid, entry.uid, true);
  // Contact takes both: who lists nobody is touched by nobody.
  if (entry.policy.network.allowedZones.length > 0)
    view.setBigUint64(zoneAt.contact_key, contactKey(entry.contactName), true);
  putText(bytes.subarray(zoneAt.id, zoneAt.name), entry.id);
  putText(bytes.subarray(zoneAt.name, zoneAt.policy_hash), entry.name);
  bytes.set(hashBytes(entry.policy.hash), zoneAt.policy_hash);
  return bytes;
}

/** What a policy comes to in the kernel. */
export function policyRecord(policy: Policy): Uint8Array {
  const privileged = policy.zone.type === "privileged";
  const { allow, deny } = policy.syscalls;
  const { mode, allowedEgress } = policy.network;
  const bytes = new Uint8Array(policyBytes);
  const view = new DataView(bytes.buffer);
  let flags = 0;
  // Mode `filtered` leaves addresses to the gateway, which knows names. The host's network has rules where there is a list.
  if (mode === "filtered" || (mode === "host" && allowedEgress.length === 0)) flags |= policyFlag.anyAddress;
  if (privileged || allow.includes("unshare")) flags |= policyFlag.userNamespaces;
  if (privileged || allow.includes("mount")) flags |= policyFlag.mounts;
  if (!deny.includes("ptrace")) flags |= policyFlag.tracing;
  if (policy.filesystem.allowedSockets.length > 0) flags |= policyFlag.hostSockets;
  view.setBigUint64(policyAt.capabilities, capabilityMask(policy.capabilities.allowed), true);
  view.setUint32(policyAt.flags, flags, true);
  return bytes;
}

/** Key of a name in `rauha_names`: padded with zeros to its 128 bytes. */
export function nameKey(name: string): Uint8Array {
  const key = new Uint8Array(128);
  putText(key, name);
  return key;
}

/** What `allowed_zones` names a zone by in the kernel: the first 64 bits of its name's SHA-256. */
export function contactKey(name: string): bigint {
  const digest = new Bun.CryptoHasher("sha256").update(name).digest();
  return digest.readBigUInt64LE(0);
}

function contactOf(from: bigint, name: string): Uint8Array {
  return new Uint8Array(BigUint64Array.of(from, contactKey(name)).buffer);
}

/** A key or value of eight bytes, in the byte order of the machine. */
export function u64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

/** The same of four bytes. */
export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

const encoder = new TextEncoder();

/** UTF-8 into a field; text that does not fit is an error, never cut. */
function putText(field: Uint8Array, text: string): void {
  if (encoder.encodeInto(text, field).read < text.length)
    throw new RangeError(`${text.slice(0, 40)}… does not fit into ${field.length} bytes`);
}

/** `sha256:` and hex to bytes. */
function hashBytes(hash: string): Uint8Array {
  return Uint8Array.fromHex(hash.slice(hash.indexOf(":") + 1));
}
