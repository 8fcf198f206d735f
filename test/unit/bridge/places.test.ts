/** Addresses and names of zones, networks that must be named, and records. */
import { describe, expect, test } from "bun:test";
import { bridgeMac, placeOfText, zoneNumbers, zonePlace } from "../../../src/run/bridge/names.ts";
import { formatPublish, parsePublish } from "../../../src/run/bridge/publish.ts";
import { decodeRecord, encodeRecord } from "../../../src/run/bridge/record.ts";
import { isSpecial, isWithin, overlap } from "../../../src/run/bridge/special.ts";
import { deviceNameBytes } from "../../../src/run/netlink/link.ts";
import { parseAddress } from "../../../src/run/policy/address.ts";

const network = (text: string) => {
  const [host = "", prefix = "32"] = text.split("/");
  return { address: parseAddress(host) ?? [], prefix: Number(prefix) };
};

describe("a zone's place", () => {
  test("is told by its number, and differs in all from every other's", () => {
    expect(zonePlace(2)).toEqual({
      number: 2,
      address: [10, 89, 0, 2],
      text: "10.89.0.2",
      mac: [2, 0x52, 0x48, 1, 0, 2],
      device: "rauha-0-2",
    });
    const all = Array.from({ length: zoneNumbers.last - zoneNumbers.first + 1 }, (_, i) =>
      zonePlace(zoneNumbers.first + i),
    );
    expect(new Set(all.map(({ text }) => text)).size).toBe(all.length);
    expect(new Set(all.map(({ device }) => device)).size).toBe(all.length);
    expect(new Set(all.map(({ mac }) => mac.join())).size).toBe(all.length);
    expect(all.every(({ device }) => device.length <= deviceNameBytes)).toBe(true);
    expect(all.map(({ mac }) => mac.join())).not.toContain(bridgeMac.join());
  });

  test("is none of the network's ends, and not the host's", () => {
    for (const number of [-1, 0, 1, 65535, 65536, 2.5]) expect(() => zonePlace(number)).toThrow(RangeError);
  });

  test("is read back from its text, and from no other", () => {
    expect(placeOfText("10.89.255.254")?.number).toBe(65534);
    for (const text of [
      "10.89.0.1",
      "10.89.0.02",
      "10.89.256.1",
      "10.88.0.2",
      "10.89.0.2.tmp",
      "",
      "../x",
      "10.89.255.255",
    ])
      expect(placeOfText(text)).toBeUndefined();
  });
});

describe("a network", () => {
  test("lies within another, or they overlap, or neither", () => {
    expect(isWithin(network("10.1.0.0/16"), network("10.0.0.0/8"))).toBe(true);
    expect(isWithin(network("10.0.0.0/8"), network("10.1.0.0/16"))).toBe(false);
    expect(isWithin(network("::1/128"), network("0.0.0.0/0"))).toBe(false);
    expect(overlap(network("0.0.0.0/0"), network("10.1.0.0/16"))).toBe(true);
    expect(overlap(network("10.2.0.0/16"), network("10.1.0.0/16"))).toBe(false);
  });

  test("is special when it names one: everything, or what merely contains one, does not", () => {
    for (const text of [
      "169.254.169.254",
      "10.0.0.0/8",
      "192.168.1.0/24",
      "172.31.0.0/16",
      "127.0.0.1",
      "224.0.0.1",
      "255.255.255.255",
      "100.64.0.0/10",
    ])
      expect([text, isSpecial(network(text))]).toEqual([text, true]);
    for (const text of [
      "0.0.0.0/0",
      "8.0.0.0/6",
      "172.0.0.0/8",
      "192.0.2.1",
      "172.32.0.0/16",
      "100.128.0.0/16",
      "128.0.0.0/1",
    ])
      expect([text, isSpecial(network(text))]).toEqual([text, false]);
  });
});

describe("a record", () => {
  const record = {
    zoneId: "zone_1",
    name: "a",
    allowedZones: ["b"],
    resolvers: [[192, 0, 2, 53]],
    publish: [{ address: [127, 0, 0, 1], port: 8080, zonePort: 80 }],
  };

  test("is read back as it was written", () => {
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
  });

  test("that was cut anywhere, or is something else, is none", () => {
    const bytes = encodeRecord(record);
    for (let length = 0; length < bytes.length - 1; length++)
      expect(decodeRecord(bytes.subarray(0, length))).toBeUndefined();
    for (const other of [
      "null",
      "[]",
      "{}",
      '{"version":2}',
      '{"version":1,"zoneId":"z","name":"n","allowedZones":[1],"resolvers":[],"publish":[]}',
    ])
      expect(decodeRecord(new TextEncoder().encode(other))).toBeUndefined();
    const odd = { ...record, resolvers: [[1, 2, 3, 256]] };
    expect(decodeRecord(encodeRecord(odd))).toBeUndefined();
    const port = { ...record, publish: [{ address: [127, 0, 0, 1], port: 0, zonePort: 80 }] };
    expect(decodeRecord(encodeRecord(port))).toBeUndefined();
  });
});

describe("a published port", () => {
  const parsed = (text: string) => {
    const outcome = parsePublish(text);
    return outcome.ok ? formatPublish(outcome.value) : outcome.message;
  };

  test("is the host's, then the zone's, on loopback unless an address is said", () => {
    expect(parsed("8080:80")).toBe("127.0.0.1:8080:80");
    expect(parsed("0.0.0.0:8080:80")).toBe("0.0.0.0:8080:80");
    expect(parsed("192.0.2.1:1:65535")).toBe("192.0.2.1:1:65535");
  });

  test("is nothing else", () => {
    for (const text of [
      "80",
      "0:80",
      "80:0",
      "65536:80",
      "80:65536",
      "a:80",
      "1.2.3:80:80",
      "[::1]:80:80",
      "::80:80",
      ":80:80",
      "8080:80/udp",
      "08:80",
    ])
      expect(parsed(text)).toContain("is not [IP:]PORT:PORT");
  });
});
