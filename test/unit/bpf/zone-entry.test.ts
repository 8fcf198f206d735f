import { describe, expect, test } from "bun:test";
import { policyFlag } from "../../../src/bpf/contract.ts";
import { bytesText, decodeRecord, encodeRecord, recordBytes } from "../../../src/bpf/record.ts";
import { contactKey, nameKey, policyRecord, zonePuts } from "../../../src/bpf/zone-entry.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";

const task = shippedPolicies["task"] as Policy;
const entry = {
  id: "zone_1",
  name: "alpha",
  contactName: "alphas",
  cgroup: 77n,
  levels: [3],
  policy: task,
  createdMs: 1000,
  owner: { pid: 42, madeNs: 99n },
  uid: 0,
};

describe("the writes that make a zone", () => {
  test("begin with the zone, which the sweep goes by, and claim its names", () => {
    const puts = zonePuts(entry);
    expect(puts[0]).toMatchObject({ map: "rauha_zones", exclusive: true });
    const names = puts.filter(({ map }) => map === "rauha_names");
    expect(names.map(({ key }) => bytesText(key))).toEqual(["zone_1", "alpha"]);
    expect(names.every(({ exclusive }) => exclusive)).toBe(true);
  });

  test("say who it is", () => {
    const zone = decodeRecord("zone", zonePuts(entry)[0]?.value as Uint8Array);
    expect(zone).toMatchObject({
      cgroup: 77n,
      created_ms: 1000n,
      owner_pid: 42,
      made_ns: 99n,
      armed: 0,
      denials: 0n,
    });
    expect([bytesText(zone.id), bytesText(zone.name)]).toEqual(["zone_1", "alpha"]);
    expect(zone.policy_hash.toHex()).toBe(task.hash.replace("sha256:", ""));
  });

  test("name it once when its name is its id", () => {
    const puts = zonePuts({ ...entry, name: "zone_1" });
    expect(puts.filter(({ map }) => map === "rauha_names")).toHaveLength(1);
  });

  test("hold a contact for every allowed zone, by a key that the other zone's record has", () => {
    const network = { ...task.network, allowedZones: ["beta", "gamma"] };
    const contacts = zonePuts({ ...entry, policy: { ...task, network } }).filter(({ map }) => map === "rauha_contact");
    expect(contacts.map(({ key }) => decodeRecord("contact", key))).toEqual([
      { from: 77n, to_key: contactKey("beta") },
      { from: 77n, to_key: contactKey("gamma") },
    ]);
    const record = (policy: Policy) =>
      decodeRecord("zone", zonePuts({ ...entry, contactName: "beta", policy })[0]?.value as Uint8Array);
    expect(record({ ...task, network }).contact_key).toBe(contactKey("beta"));
    // Contact takes both: who lists nobody needs no key.
    expect(record(task).contact_key).toBe(0n);
  });

  test("mark every level that the zone may lie at", () => {
    const levels = zonePuts({ ...entry, levels: [2, 3, 4] }).filter(({ map }) => map === "rauha_levels");
    expect(levels.map(({ key }) => key[0])).toEqual([2, 3, 4]);
  });

  test("a name is at most 128 bytes", () => {
    expect(nameKey("x".repeat(128))).toHaveLength(128);
    expect(() => nameKey("x".repeat(129))).toThrow("does not fit into 128 bytes");
    expect(() => zonePuts({ ...entry, id: "x".repeat(49) })).toThrow("does not fit into 48 bytes");
  });

  test("are the records of the contract, field by field", () => {
    const network = { ...task.network, allowedZones: ["beta"] };
    const [zone, policy] = zonePuts({ ...entry, policy: { ...task, network } });
    for (const [name, put] of [
      ["zone", zone],
      ["policy", policy],
    ] as const) {
      const bytes = put?.value as Uint8Array;
      expect(bytes).toHaveLength(recordBytes(name));
      expect(encodeRecord(name, decodeRecord(name, bytes) as never)).toEqual(bytes);
    }
  });
});

describe("a policy in the kernel", () => {
  const flagsOf = (change: Partial<Policy>) => decodeRecord("policy", policyRecord({ ...task, ...change })).flags;

  const tracing = policyFlag.tracing;

  test("the policy task allows nothing but to trace one's own", () => {
    expect(decodeRecord("policy", policyRecord(task))).toEqual({ capabilities: 0n, flags: tracing, zero: 0 });
  });

  test("capabilities are a mask over their numbers", () => {
    const capabilities = { allowed: ["CAP_CHOWN", "CAP_KILL"] };
    expect(decodeRecord("policy", policyRecord({ ...task, capabilities })).capabilities).toBe(0b10_0001n);
  });

  test("each flag has its key", () => {
    expect(flagsOf({ zone: { type: "privileged" } })).toBe(policyFlag.userNamespaces | policyFlag.mounts | tracing);
    expect(flagsOf({ syscalls: { ...task.syscalls, deny: ["ptrace"] } })).toBe(0);
    expect(flagsOf({ syscalls: { ...task.syscalls, allow: ["unshare"] } })).toBe(policyFlag.userNamespaces | tracing);
    expect(flagsOf({ syscalls: { ...task.syscalls, allow: ["mount"] } })).toBe(policyFlag.mounts | tracing);
    expect(flagsOf({ filesystem: { ...task.filesystem, allowedSockets: ["/run/a"] } })).toBe(
      policyFlag.hostSockets | tracing,
    );
    expect(flagsOf({ network: { ...task.network, mode: "host" } })).toBe(policyFlag.anyAddress | tracing);
    expect(flagsOf({ network: { ...task.network, mode: "filtered" } })).toBe(policyFlag.anyAddress | tracing);
    expect(flagsOf({ network: { ...task.network, mode: "bridged" } })).toBe(tracing);
    expect(flagsOf({ network: { ...task.network, mode: "host", allowedEgress: ["10.0.0.0/8:443"] } })).toBe(tracing);
  });
});
