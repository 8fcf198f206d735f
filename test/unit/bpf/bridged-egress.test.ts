import { describe, expect, test } from "bun:test";
import { networkOrder } from "../../../src/bpf/address-keys.ts";
import { bridgedEgress } from "../../../src/bpf/bridged-egress.ts";
import { listing } from "../../../src/bpf/contract.ts";
import { decodeRecord } from "../../../src/bpf/record.ts";
import { zonePuts } from "../../../src/bpf/zone-entry.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";

/** What the prefix tree answers, as the programs ask it: the longest prefix of the exact port, then of any. */
function decide(allowed: readonly string[], zones: readonly string[], address: string, port: number): boolean {
  const entries = bridgedEgress(allowed, zones, 7n).map(({ key, value }) => ({
    ...decodeRecord("address", key),
    value,
  }));
  const bits = (bytes: ArrayLike<number>) => Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const wanted = bits([...new Array<number>(10).fill(0), 0xff, 0xff, ...address.split(".").map(Number)]);
  return [port, 0].some((asked) => {
    const [best] = entries
      .filter((entry) => entry.port === networkOrder(asked))
      .map((entry) => ({ ...entry, length: entry.prefix - 96 }))
      .filter((entry) => bits(entry.address).slice(0, entry.length) === wanted.slice(0, entry.length))
      .toSorted((one, other) => other.length - one.length);
    return best?.value === listing.allowed;
  });
}

describe("what a bridged zone may send to, in the kernel's prefix tree", () => {
  const everything = ["0.0.0.0/0:443"];

  test("an entry for everything is the public internet at its port", () => {
    expect(decide(everything, [], "198.51.100.1", 443)).toBe(true);
    expect(decide(everything, [], "198.51.100.1", 80)).toBe(false);
  });

  test.each([
    "10.0.0.1",
    "172.31.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "127.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
  ])("and not %s", (address) => expect(decide(everything, [], address, 443)).toBe(false));

  test("an entry within a special network opens that much of it", () => {
    const list = [...everything, "10.1.0.0/16:443", "192.168.0.0/16:*"];
    expect(decide(list, [], "10.1.2.3", 443)).toBe(true);
    expect(decide(list, [], "10.2.2.3", 443)).toBe(false);
    expect(decide(list, [], "192.168.7.7", 443)).toBe(true);
    expect(decide(list, [], "192.168.7.7", 9)).toBe(true);
  });

  test("an entry for the whole of a special network opens it, in either order", () => {
    for (const list of [
      [...everything, "10.0.0.0/8:443"],
      ["10.0.0.0/8:443", ...everything],
    ])
      expect(decide(list, [], "10.9.9.9", 443)).toBe(true);
  });

  test("an entry that holds a special network only in part takes none of it", () => {
    expect(decide(["128.0.0.0/1:*"], [], "192.168.1.1", 80)).toBe(false);
    expect(decide(["128.0.0.0/1:*"], [], "198.51.100.1", 80)).toBe(true);
  });

  test("other zones are the chain's to decide, where the policy lists any; the host on the bridge is not", () => {
    expect(decide([], [], "10.89.0.9", 5000)).toBe(false);
    expect(decide([], ["b"], "10.89.0.9", 5000)).toBe(true);
    expect(decide(everything, ["b"], "10.89.0.1", 443)).toBe(false);
  });

  test("a range of more ports than there are keys for is all ports; IPv6 is passed over", () => {
    expect(decide(["198.51.100.0/24:1024-65535"], [], "198.51.100.1", 2000)).toBe(true);
    expect(decide(["198.51.100.0/24:1024-65535"], [], "198.51.101.1", 2000)).toBe(false);
    expect(bridgedEgress(["[::]/0:443", "[2001:db8::]:443"], [], 7n)).toEqual([]);
  });

  test("is what the zone's entry writes, each key once", () => {
    const task = shippedPolicies["task"] as Policy;
    const network = { ...task.network, mode: "bridged", allowedEgress: [...everything, "10.0.0.0/8:443"] } as const;
    const entry = { id: "z", name: "z", contactName: "z", cgroup: 7n, levels: [1], createdMs: 1, uid: 0 };
    const puts = zonePuts({ ...entry, policy: { ...task, network }, owner: { pid: 1, start: 1n } });
    const keys = puts.filter(({ map }) => map === "rauha_addresses").map(({ key }) => key.toHex());
    expect(keys).toHaveLength(bridgedEgress(network.allowedEgress, [], 7n).length);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
