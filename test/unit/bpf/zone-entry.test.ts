import { describe, expect, test } from "bun:test";
import { addressKeys, networkOrder, portsOfRange } from "../../../src/bpf/address-keys.ts";
import { policyFlag, way } from "../../../src/bpf/contract.ts";
import { bytesText, decodeRecord } from "../../../src/bpf/record.ts";
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
  owner: { pid: 42, start: 99n },
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
      owner_start: 99n,
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
    const beta = decodeRecord("zone", zonePuts({ ...entry, contactName: "beta" })[0]?.value as Uint8Array);
    expect(beta.contact_key).toBe(contactKey("beta"));
  });

  test("mark every level that the zone may lie at", () => {
    const levels = zonePuts({ ...entry, levels: [2, 3, 4] }).filter(({ map }) => map === "rauha_levels");
    expect(levels.map(({ key }) => key[0])).toEqual([2, 3, 4]);
  });

  test("a name is at most 128 bytes", () => {
    expect(nameKey("x".repeat(128))).toHaveLength(128);
    expect(() => nameKey("x".repeat(129))).toThrow();
  });
});

describe("a policy in the kernel", () => {
  const flagsOf = (change: Partial<Policy>) => decodeRecord("policy", policyRecord({ ...task, ...change })).flags;

  test("the policy task allows nothing", () => {
    expect(decodeRecord("policy", policyRecord(task))).toEqual({ capabilities: 0n, flags: 0, zero: 0 });
  });

  test("capabilities are a mask over their numbers", () => {
    const capabilities = { allowed: ["CAP_CHOWN", "CAP_KILL"] };
    expect(decodeRecord("policy", policyRecord({ ...task, capabilities })).capabilities).toBe(0b10_0001n);
  });

  test("each flag has its key", () => {
    expect(flagsOf({ zone: { type: "privileged" } })).toBe(policyFlag.userNamespaces | policyFlag.mounts);
    expect(flagsOf({ syscalls: { ...task.syscalls, deny: ["ptrace"] } })).toBe(policyFlag.noTrace);
    expect(flagsOf({ syscalls: { ...task.syscalls, allow: ["unshare"] } })).toBe(policyFlag.userNamespaces);
    expect(flagsOf({ syscalls: { ...task.syscalls, allow: ["mount"] } })).toBe(policyFlag.mounts);
    expect(flagsOf({ filesystem: { ...task.filesystem, allowedSockets: ["/run/a"] } })).toBe(policyFlag.hostSockets);
    expect(flagsOf({ network: { ...task.network, mode: "host" } })).toBe(policyFlag.anyAddress);
    expect(flagsOf({ network: { ...task.network, mode: "filtered" } })).toBe(policyFlag.anyAddress);
    expect(flagsOf({ network: { ...task.network, mode: "bridged" } })).toBe(0);
    expect(flagsOf({ network: { ...task.network, mode: "host", allowedEgress: ["10.0.0.0/8:443"] } })).toBe(0);
  });
});

describe("addresses as keys of the prefix tree", () => {
  const one = (text: string) => addressKeys(text, way.out, 5n).map((key) => decodeRecord("address", key));
  const before = 16 + 16 + 64;

  test("version 4 is mapped into version 6", () => {
    const [key] = one("10.1.0.0/16:443");
    expect(key).toMatchObject({ prefix: before + 96 + 16, port: networkOrder(443), way: way.out, zone: 5n });
    expect(key?.address.toHex()).toBe("00000000000000000000ffff0a010000");
  });

  test("version 6 is as it is", () => {
    const [key] = one("[2001:db8::/32]:8000");
    expect(key).toMatchObject({ prefix: before + 32, port: networkOrder(8000) });
    expect(key?.address.toHex()).toBe("20010db8000000000000000000000000");
  });

  test("all ports are one key, a range a key each", () => {
    expect(one("0.0.0.0/0:*").map(({ port }) => port)).toEqual([0]);
    expect(one("192.0.2.1:80-82").map(({ port }) => port)).toEqual([80, 81, 82].map(networkOrder));
  });

  test("a range that would fill the map is refused in words", () => {
    expect(one(`192.0.2.1:1-${portsOfRange}`)).toHaveLength(portsOfRange);
    expect(() => one(`192.0.2.1:1-${portsOfRange + 1}`)).toThrow("ranges of at most 1024 ports");
  });
});
