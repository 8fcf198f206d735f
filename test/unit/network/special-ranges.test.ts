/** Addresses that no name may lead to. */
import { describe, expect, test } from "bun:test";
import { plainAddress, specialRange } from "../../../src/run/network/special-ranges.ts";
import { parseAddress } from "../../../src/run/policy/address.ts";

const rangeOf = (text: string): string | undefined => specialRange(parseAddress(text) ?? [])?.what;

describe("special", () => {
  test.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["0.0.0.0", "this host"],
    ["0.1.2.3", "this host"],
    ["10.255.0.1", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["169.254.169.254", "link-local (cloud metadata)"],
    ["100.64.0.1", "carrier-grade NAT"],
    ["100.127.255.255", "carrier-grade NAT"],
    ["192.0.0.8", "protocol assignments"],
    ["198.19.0.1", "benchmarking"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "reserved"],
    ["::1", "loopback"],
    ["::", "unspecified or IPv4-compatible"],
    ["::7f00:1", "unspecified or IPv4-compatible"],
    ["::ffff:127.0.0.1", "loopback, as IPv6"],
    ["::ffff:169.254.169.254", "link-local (cloud metadata), as IPv6"],
    ["64:ff9b::10.0.0.1", "private, as IPv6"],
    ["64:ff9b:1::1", "local NAT64"],
    ["2002:7f00:1::", "6to4"],
    ["2001:0:1::", "Teredo"],
    ["fc00::1", "unique local"],
    ["fd12:3456::1", "unique local"],
    ["fe80::1", "link-local"],
    ["fec0::1", "site-local"],
    ["ff02::1", "multicast"],
    ["100::1", "discard-only"],
  ])("%s: %s", (address, what) => {
    expect(rangeOf(address)).toBe(what);
  });
});

test.each([
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "172.15.255.255",
  "172.32.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "169.253.1.1",
  "223.255.255.255",
  "::ffff:1.1.1.1",
  "64:ff9b::1.1.1.1",
  "2606:4700::1111",
  "2001:1::1",
  "2003::1",
])("%s is of the public internet", (address) => {
  expect(rangeOf(address)).toBeUndefined();
});

test("an IPv4-mapped address is the version 4 one", () => {
  expect(plainAddress(parseAddress("::ffff:1.2.3.4") ?? [])).toEqual([1, 2, 3, 4]);
  expect(plainAddress(parseAddress("64:ff9b::1.2.3.4") ?? [])).toHaveLength(16);
});
