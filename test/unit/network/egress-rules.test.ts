/** Who may be reached, by name and by address. */
import { describe, expect, test } from "bun:test";
import {
  egressRuleFor,
  isNameAllowed,
  isNameDenied,
  makeEgressRules,
  refusedRange,
} from "../../../src/run/network/egress-rules.ts";
import { parseAddress } from "../../../src/run/policy/address.ts";

const rules = makeEgressRules({
  allowedDomains: ["example.org", "*.example.com", "ported.example:443", "range.example:8000-8100", "@npm"],
  deniedDomains: ["bad.example.com", "*.worse.example.com", "half.example.com:80"],
  allowedEgress: ["198.51.100.0/24:443", "10.1.0.0/16:5000-6000", "[2001:db8::/32]:*"],
});
const address = (text: string) => parseAddress(text) ?? [];

describe("names", () => {
  test.each([
    ["example.org", 443, true],
    ["www.example.org", 443, false],
    ["a.example.com", 80, true],
    ["a.b.example.com", 1, true],
    ["example.com", 443, false],
    ["notexample.com", 443, false],
    ["bad.example.com", 443, false],
    ["x.bad.example.com", 443, true],
    ["x.worse.example.com", 443, false],
    ["half.example.com", 80, false],
    ["half.example.com", 443, true],
    ["ported.example", 443, true],
    ["ported.example", 80, false],
    ["range.example", 8050, true],
    ["range.example", 8101, false],
    ["registry.npmjs.org", 443, true],
    ["npmjs.org", 443, false],
    ["example.org.evil.example", 443, false],
  ])("%s at port %p: %p", (name, port, allowed) => {
    expect(isNameAllowed(rules, name, port)).toBe(allowed);
  });

  test("are looked up if any port of theirs is allowed, and denied as a whole only where no port is", () => {
    expect(isNameAllowed(rules, "ported.example")).toBe(true);
    expect(isNameAllowed(rules, "half.example.com")).toBe(true);
    expect(isNameAllowed(rules, "bad.example.com")).toBe(false);
    expect(isNameDenied(rules, "half.example.com")).toBe(false);
  });

  test("a star allows every name", () => {
    const all = makeEgressRules({ allowedDomains: ["*"], deniedDomains: ["evil.example"], allowedEgress: [] });
    expect(isNameAllowed(all, "anything.example", 1)).toBe(true);
    expect(isNameAllowed(all, "evil.example", 1)).toBe(false);
  });
});

describe("addresses", () => {
  test.each([
    ["198.51.100.7", 443, "198.51.100.0/24:443"],
    ["198.51.100.7", 80, undefined],
    ["198.51.101.7", 443, undefined],
    ["10.1.2.3", 5000, "10.1.0.0/16:5000-6000"],
    ["10.1.2.3", 6001, undefined],
    ["2001:db8::1", 1, "[2001:db8::/32]:*"],
    ["2001:db9::1", 1, undefined],
    ["::ffff:198.51.100.7", 443, undefined],
  ])("%s at port %p: %p", (text, port, rule) => {
    expect(egressRuleFor(rules, address(text), port)).toBe(rule);
  });

  test("in special ranges are not listed by what lists the internet", () => {
    const wide = makeEgressRules({
      allowedDomains: [],
      deniedDomains: [],
      allowedEgress: ["0.0.0.0/0:*", "[::/0]:*", "169.0.0.0/8:80", "192.168.0.0/16:80"],
    });
    for (const text of [
      "127.0.0.1",
      "10.0.0.1",
      "169.254.169.254",
      "::1",
      "fd00::1",
      "64:ff9b::a00:1",
      "64:ff9b::7f00:1",
    ])
      expect({ text, rule: egressRuleFor(wide, address(text), 80) }).toEqual({ text, rule: undefined });
    for (const text of ["192.168.1.1", "198.51.100.1", "2606:4700::1", "64:ff9b::101:101"])
      expect({ text, listed: egressRuleFor(wide, address(text), 80) !== undefined }).toEqual({ text, listed: true });
  });

  test("in special ranges are refused unless listed, at the port that is listed", () => {
    expect(refusedRange(rules, address("10.1.2.3"), 5432)).toBeUndefined();
    expect(refusedRange(rules, address("10.1.2.3"), 80)).toBe("private");
    expect(refusedRange(rules, address("10.1.2.3"))).toBeUndefined();
    expect(refusedRange(rules, address("10.2.2.3"))).toBe("private");
    expect(refusedRange(rules, address("127.0.0.1"))).toBe("loopback");
    expect(refusedRange(rules, address("1.1.1.1"), 1)).toBeUndefined();
  });
});
