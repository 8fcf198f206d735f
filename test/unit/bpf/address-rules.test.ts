import { describe, expect, test } from "bun:test";
import { addressPuts } from "../../../src/bpf/address-rules.ts";
import { portRanges, records, way } from "../../../src/bpf/contract.ts";
import { mergePorts, portsRecord } from "../../../src/bpf/port-ranges.ts";
import { decodeRecord } from "../../../src/bpf/record.ts";
import { parseAddress } from "../../../src/run/policy/address.ts";
import type { Policy } from "../../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";

const task = shippedPolicies["task"] as Policy;
const zone = 7n;
const before = 32 + 64;

type Lists = Partial<Policy["network"]>;

function entriesOf(lists: Lists) {
  return addressPuts({ ...task.network, ...lists }, zone).map(({ key, value }) => {
    const { count, ranges } = decodeRecord("ports", value);
    const view = new DataView(ranges.buffer, ranges.byteOffset);
    const ports = Array.from({ length: count }, (_, i) => [
      view.getUint16(4 * i, true),
      view.getUint16(4 * i + 2, true),
    ]);
    return { ...decodeRecord("address", key), ports };
  });
}

const bits = (bytes: ArrayLike<number>) => Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");

/** What the programs make of the tree's answer: the entry with the longest prefix, and no other. */
function decide(lists: Lists, address: string, port: number, direction: number = way.out): boolean {
  const bytes = parseAddress(address) ?? [];
  const wanted = bits(bytes.length === 16 ? bytes : [...new Array<number>(10).fill(0), 0xff, 0xff, ...bytes]);
  const [best] = entriesOf(lists)
    .filter((entry) => entry.way === direction && entry.zone === zone)
    .map((entry) => ({ ...entry, length: entry.prefix - before }))
    .filter((entry) => bits(entry.address).slice(0, entry.length) === wanted.slice(0, entry.length))
    .toSorted((one, other) => other.length - one.length);
  return best?.ports.some(([first = 0, last = 0]) => port >= first && port <= last) ?? false;
}

const bridged = (allowedEgress: readonly string[], allowedZones: readonly string[] = []): Lists => ({
  mode: "bridged",
  allowedEgress,
  allowedZones,
});

describe("entries of the prefix tree", () => {
  const [one] = entriesOf({ mode: "host", allowedEgress: ["10.1.0.0/16:443"] });

  test("version 4 is mapped into version 6, which is as it is", () => {
    expect(one).toMatchObject({ prefix: before + 96 + 16, way: way.out, zone, ports: [[443, 443]] });
    expect(one?.address.toHex()).toBe("00000000000000000000ffff0a010000");
    const [six] = entriesOf({ mode: "host", allowedIngress: ["[2001:db8::/32]:8000-8100"] });
    expect(six).toMatchObject({ prefix: before + 32, way: way.in, ports: [[8000, 8100]] });
    expect(six?.address.toHex()).toBe("20010db8000000000000000000000000");
  });

  test("a range is exact, however wide", () => {
    const lists: Lists = {
      mode: "host",
      allowedEgress: ["192.0.2.0/24:1024-65535"],
      allowedIngress: ["0.0.0.0/0:2000-9000"],
    };
    expect([1023, 1024, 65_535].map((port) => decide(lists, "192.0.2.1", port))).toEqual([false, true, true]);
    expect([1999, 2000, 9000, 9001].map((port) => decide(lists, "192.0.2.1", port, way.in))).toEqual([
      ...[false, true, true, false],
    ]);
    expect(decide({ mode: "host", allowedEgress: ["192.0.2.1:*"] }, "192.0.2.1", 1)).toBe(true);
  });

  test("an entry has the ports of the wider ones around it, in any order of the list", () => {
    const list = ["10.0.0.0/8:80", "0.0.0.0/0:443", "10.1.0.0/16:5000-5010", "10.1.2.3:22", "11.0.0.0/8:25"];
    for (const allowedEgress of [list, list.toReversed()]) {
      const at = (address: string) =>
        [22, 25, 80, 443, 5005].filter((port) => decide({ mode: "host", allowedEgress }, address, port));
      expect(at("10.1.2.3")).toEqual([22, 80, 443, 5005]);
      expect(at("10.1.2.4")).toEqual([80, 443, 5005]);
      expect(at("10.2.0.1")).toEqual([80, 443]);
      expect(at("11.0.0.1")).toEqual([25, 443]);
      expect(at("12.0.0.1")).toEqual([443]);
      expect(at("2001:db8::1")).toEqual([]);
    }
  });

  test("ranges that touch are one; more than an entry holds are refused in words", () => {
    expect(
      mergePorts([
        [80, 90],
        [91, 95],
        [22, 22],
        [85, 100],
        [102, 103],
      ]),
    ).toEqual([
      [22, 22],
      [80, 100],
      [102, 103],
    ]);
    const single = (count: number) => Array.from({ length: count }, (_, i) => `192.0.2.1:${1000 + 2 * i}`);
    expect(entriesOf({ mode: "host", allowedEgress: single(portRanges) })[0]?.ports).toHaveLength(portRanges);
    expect(() => entriesOf({ mode: "host", allowedEgress: single(portRanges + 1) })).toThrow(
      "the ports listed for 192.0.2.1/32 come to 65 ranges, and BPF-LSM takes at most 64",
    );
    expect(4 * portRanges).toBe(records.ports.ranges.bytes);
    expect(portsRecord([[1, 2]], "")).toHaveLength(8 + 4 * portRanges);
  });
});

describe("what a bridged zone may send to", () => {
  const everything = ["0.0.0.0/0:443"];

  test("an entry for everything is the public internet at its port", () => {
    expect(decide(bridged(everything), "198.51.100.1", 443)).toBe(true);
    expect(decide(bridged(everything), "198.51.100.1", 80)).toBe(false);
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
  ])("and not %s", (address) => expect(decide(bridged(everything), address, 443)).toBe(false));

  test("an entry within a special network opens that much of it", () => {
    const lists = bridged([...everything, "10.1.0.0/16:443", "192.168.0.0/16:*"]);
    expect(decide(lists, "10.1.2.3", 443)).toBe(true);
    expect(decide(lists, "10.2.2.3", 443)).toBe(false);
    expect(decide(lists, "192.168.7.7", 443)).toBe(true);
    expect(decide(lists, "192.168.7.7", 9)).toBe(true);
  });

  test("what an entry within a special network opens is its own ports, not those of the wider one", () => {
    const lists = bridged([...everything, "10.1.0.0/16:5432"]);
    expect(decide(lists, "10.1.2.3", 5432)).toBe(true);
    expect(decide(lists, "10.1.2.3", 443)).toBe(false);
  });

  test("an entry for the whole of a special network opens it, in either order", () => {
    for (const list of [
      [...everything, "10.0.0.0/8:443"],
      ["10.0.0.0/8:443", ...everything],
    ])
      expect(decide(bridged(list), "10.9.9.9", 443)).toBe(true);
  });

  test("an entry that holds a special network only in part takes none of it", () => {
    expect(decide(bridged(["128.0.0.0/1:*"]), "192.168.1.1", 80)).toBe(false);
    expect(decide(bridged(["128.0.0.0/1:*"]), "198.51.100.1", 80)).toBe(true);
  });

  test("other zones are the chain's to decide, where the policy lists any; the host on the bridge is not", () => {
    expect(decide(bridged([]), "10.89.0.9", 5000)).toBe(false);
    expect(decide(bridged([], ["b"]), "10.89.0.9", 5000)).toBe(true);
    expect(decide(bridged(everything, ["b"]), "10.89.0.1", 443)).toBe(false);
    expect(decide(bridged(["10.89.0.1:5000"], ["b"]), "10.89.0.1", 5000)).toBe(true);
  });

  test("a range of many ports is exact; IPv6 is passed over", () => {
    const wide = bridged(["198.51.100.0/24:1024-65535"]);
    expect(decide(wide, "198.51.100.1", 2000)).toBe(true);
    expect(decide(wide, "198.51.100.1", 1000)).toBe(false);
    expect(decide(wide, "198.51.101.1", 2000)).toBe(false);
    expect(entriesOf(bridged(["[::]/0:443", "[2001:db8::]:443"]))).toEqual([]);
  });
});
