import { capabilityMask } from "../run/capabilities.ts";
import type { Policy } from "../run/policy/policy.ts";
import { addressKeys } from "./address-keys.ts";
import { type AddressEntry, bridgedEgress } from "./bridged-egress.ts";
import { listing, type MapName, policyFlag, way } from "./contract.ts";
import { encodeRecord, textBytes } from "./record.ts";

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
  /** The process that takes the entry away again. */
  readonly owner: { readonly pid: number; readonly start: bigint };
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
 * The writes that make a zone, in their order. The zone itself first, since the sweep of what a killed run left goes by that; nothing runs
 * in it before all are made. A name can't be had by two zones.
 */
export function zonePuts(entry: ZoneEntry): Put[] {
  const cgroup = u64(entry.cgroup);
  const put = (map: MapName, key: Uint8Array, value: Uint8Array, exclusive = false): Put => ({
    map,
    key,
    value,
    exclusive,
  });
  const { network } = entry.policy;
  const contact = network.allowedZones.map((name) =>
    put("rauha_contact", encodeRecord("contact", { from: entry.cgroup, to_key: contactKey(name) }), u64(1n)),
  );
  const keys = (list: readonly string[], direction: number): AddressEntry[] =>
    list.flatMap((text) => addressKeys(text, direction, entry.cgroup).map((key) => ({ key, value: listing.allowed })));
  const out =
    network.mode === "bridged"
      ? bridgedEgress(network.allowedEgress, network.allowedZones, entry.cgroup)
      : keys(network.allowedEgress, way.out);
  const into = keys(network.allowedIngress, way.in);
  const names = entry.name === entry.id ? [entry.id] : [entry.id, entry.name];
  return [
    put("rauha_zones", cgroup, zoneRecord(entry), true),
    put("rauha_policies", cgroup, policyRecord(entry.policy)),
    ...contact,
    ...[...out, ...into].map(({ key, value }) => put("rauha_addresses", key, u64(BigInt(value)))),
    ...entry.levels.map((level) => put("rauha_levels", Uint8Array.from(u32(level)), u64(1n))),
    ...names.map((name) => put("rauha_names", nameKey(name), cgroup, true)),
  ];
}

function zoneRecord(entry: ZoneEntry): Uint8Array {
  return encodeRecord("zone", {
    cgroup: entry.cgroup,
    created_ms: BigInt(entry.createdMs),
    owner_start: entry.owner.start,
    owner_pid: entry.owner.pid,
    contact_key: contactKey(entry.contactName),
    uid: entry.uid,
    id: textBytes(entry.id),
    name: textBytes(entry.name),
    policy_hash: hashBytes(entry.policy.hash),
  });
}

/** What a policy comes to in the kernel. */
export function policyRecord(policy: Policy): Uint8Array {
  const privileged = policy.zone.type === "privileged";
  const { allow, deny } = policy.syscalls;
  const { mode } = policy.network;
  const flags = [
    // Mode `filtered` leaves addresses to the gateway, which knows names. The host's network has rules where there is a list.
    [policyFlag.anyAddress, mode === "filtered" || (mode === "host" && policy.network.allowedEgress.length === 0)],
    [policyFlag.userNamespaces, privileged || allow.includes("unshare")],
    [policyFlag.mounts, privileged || allow.includes("mount")],
    [policyFlag.noTrace, deny.includes("ptrace")],
    [policyFlag.hostSockets, policy.filesystem.allowedSockets.length > 0],
  ] as const;
  return encodeRecord("policy", {
    capabilities: capabilityMask(policy.capabilities.allowed),
    flags: flags.reduce((mask, [flag, set]) => (set ? mask | flag : mask), 0),
  });
}

/** Key of a name in `rauha_names`: padded with zeros to its 128 bytes. */
export function nameKey(name: string): Uint8Array {
  const key = new Uint8Array(128);
  key.set(textBytes(name));
  return key;
}

/** What `allowed_zones` names a zone by in the kernel: the first 64 bits of its name's SHA-256. */
export function contactKey(name: string): bigint {
  const digest = new Bun.CryptoHasher("sha256").update(name).digest();
  return digest.readBigUInt64LE(0);
}

export function u64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** `sha256:` and hex to bytes. */
function hashBytes(hash: string): Uint8Array {
  return Uint8Array.fromHex(hash.slice(hash.indexOf(":") + 1));
}
