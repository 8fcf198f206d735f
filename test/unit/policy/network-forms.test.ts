import { describe, expect, test } from "bun:test";
import { formatAddress, networkOf, parseAddress } from "../../../src/run/policy/address.ts";
import { domainCovers, parseDomain } from "../../../src/run/policy/domain.ts";
import { domainPresets, expandDomains } from "../../../src/run/policy/domain-presets.ts";
import { formatEndpoint, parseEndpoint } from "../../../src/run/policy/endpoint.ts";
import { Random } from "./random.ts";

describe("addresses", () => {
  test.each([
    ["0.0.0.0", [0, 0, 0, 0]],
    ["192.0.2.255", [192, 0, 2, 255]],
    ["::", new Array(16).fill(0)],
    ["::1", [...new Array(15).fill(0), 1]],
    ["2001:DB8::", [0x20, 1, 0xd, 0xb8, ...new Array(12).fill(0)]],
    ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ["::ffff:10.1.2.3", [...new Array(10).fill(0), 255, 255, 10, 1, 2, 3]],
    ["1::8", [0, 1, ...new Array(12).fill(0), 0, 8]],
  ])("%s", (text, bytes) => {
    expect(parseAddress(text)).toEqual(bytes);
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "256.0.0.0",
    "1.2.3.4 ",
    "0x1.2.3.4",
    "1.2.3.-4",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "g::",
    "::1.2.3",
    "1.2.3.4::",
    "fe80::1%eth0",
    "1:",
    ":1",
  ])("%p is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test.each([
    ["2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:2:0:0:0:3:0", "1:0:2::3:0"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["10:0:0:1:2:3:4:5", "10::1:2:3:4:5"],
    ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
  ])("%s is written %s", (text, written) => {
    expect(formatAddress(parseAddress(text) ?? [])).toBe(written);
  });

  test("what is written is read back", () => {
    const random = new Random(3);
    for (let i = 0; i < 2000; i++) {
      const length = random.pick([4, 16]);
      const address = Array.from({ length }, () => (random.chance(0.6) ? 0 : random.int(0, 255)));
      expect(parseAddress(formatAddress(address))).toEqual(address);
    }
  });

  test("a network is the address without the bits after the prefix", () => {
    expect(networkOf([255, 255, 255, 255], 0)).toEqual([0, 0, 0, 0]);
    expect(networkOf([255, 255, 255, 255], 12)).toEqual([255, 240, 0, 0]);
    expect(networkOf([255, 255, 255, 255], 31)).toEqual([255, 255, 255, 254]);
    expect(networkOf([255, 255, 255, 255], 32)).toEqual([255, 255, 255, 255]);
  });
});

describe("endpoints", () => {
  test.each([
    ["0.0.0.0/0:443", "0.0.0.0/0:443"],
    ["10.1.2.3:5432", "10.1.2.3:5432"],
    ["10.1.2.3/32:5432", "10.1.2.3:5432"],
    ["192.0.2.0/24:*", "192.0.2.0/24:*"],
    ["192.0.2.0/24:8000-8999", "192.0.2.0/24:8000-8999"],
    ["10.0.0.0/8:1-1", "10.0.0.0/8:1"],
    ["[::]/0:443", "[::/0]:443"],
    ["[::/0]:443", "[::/0]:443"],
    ["[2001:DB8::/32]:80-65535", "[2001:db8::/32]:80-65535"],
    ["[2001:db8::1]:22", "[2001:db8::1]:22"],
  ])("%s is %s", (text, written) => {
    const outcome = parseEndpoint(text);
    expect(outcome.ok ? formatEndpoint(outcome.value) : outcome.message).toBe(written);
  });

  test("are data for whoever enforces them", () => {
    const outcome = parseEndpoint("10.0.0.0/8:80-90");
    expect(outcome).toEqual({ ok: true, value: { address: [10, 0, 0, 0], prefix: 8, ports: [80, 90] } });
    const any = parseEndpoint("[::1]:*");
    expect(any.ok && [any.value.prefix, any.value.ports]).toEqual([128, [0, 65535]]);
  });

  test.each([
    ["", '"" is not an IP address', "for example"],
    ["1.2.3.4", "no port", 'write "1.2.3.4:443", or "1.2.3.4:*" for every port'],
    ["10.0.0.0/8", "no port", 'write "10.0.0.0/8:443"'],
    ["2001:db8::/32", "no port", 'write "[2001:db8::/32]:443", or "[2001:db8::/32]:*"'],
    ["2001:db8::1:443", "no port", "write"],
    ["[::1]", "no port", 'write "[::1]:443"'],
    ["1.2.3.4:", '"" is not a port', "a port from 1 to 65535"],
    ["1.2.3.4:0", '"0" is not a port', "a port from 1 to 65535"],
    ["1.2.3.4:65536", '"65536" is not a port', "range such as 8000-8999"],
    ["1.2.3.4:090", '"090" is not a port', "a port"],
    ["1.2.3.4:90-80", '"90-80" is not a port', "a port"],
    ["1.2.3.4:https", '"https" is not a port', "a port"],
    ["1.2.3.4:80,443", '"80,443" is not a port', "a port"],
    ["10.0.0.5/8:443", "bits are set after the first 8", 'write "10.0.0.0/8:443"'],
    ["[2001:db8::1/32]:*", "bits are set after the first 32", 'write "[2001:db8::/32]:*"'],
    ["10.0.0.0/33:443", "expected a prefix length from 0 to 32", "for example"],
    ["[::/129]:443", "expected a prefix length from 0 to 128", "for example"],
    ["10.0.0.0/08:443", "expected a prefix length from 0 to 32", "for example"],
    ["10.0.0.0/8/8:443", "expected a prefix length from 0 to 32", "for example"],
    ["10.0.0.0/:443", "expected a prefix length from 0 to 32", "for example"],
    ["example.org:443", "a name, not an address", "network.allowed_domains"],
    ["*:443", '"*" is not an IP address', "for example"],
    [":443", '"" is not an IP address', "for example"],
    ["[1.2.3.4]:443", '"1.2.3.4" is not an IP address', "for example"],
    ["[::1:443", "expected an address, a colon and a port", "for example"],
    ["1.2.3.4:443:443", "an IPv6 address stands in brackets", "for example"],
    ["https://1.2.3.4:443", "an IPv6 address stands in brackets", "for example"],
  ])("%p: %s", (text, message, hint) => {
    const outcome = parseEndpoint(text);
    if (outcome.ok) throw new Error("was taken");
    expect(outcome.message).toBe(`${JSON.stringify(text)} is not CIDR:PORT: ${message}`);
    expect(outcome.hint).toContain(hint);
  });

  test("what is written is read back", () => {
    const random = new Random(4);
    for (let i = 0; i < 2000; i++) {
      const length = random.pick([4, 16]);
      const prefix = random.int(0, length * 8);
      const address = networkOf(
        Array.from({ length }, () => random.int(0, 255)),
        prefix,
      );
      const first = random.int(1, 65535);
      const ports = random.chance(0.2) ? ([0, 65535] as const) : ([first, random.int(first, 65535)] as const);
      expect(parseEndpoint(formatEndpoint({ address, prefix, ports }))).toEqual({
        ok: true,
        value: { address, prefix, ports },
      });
    }
  });
});

describe("domains", () => {
  test.each([
    ["example.org", "example.org"],
    ["EXAMPLE.org", "example.org"],
    ["*.example.org", "*.example.org"],
    ["*", "*"],
    ["localhost", "localhost"],
    ["example.org:443", "example.org:443"],
    ["*.example.org:8000-8999", "*.example.org:8000-8999"],
    ["*:443", "*:443"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["_dmarc.a-b.c0", "_dmarc.a-b.c0"],
    ["@npm", "@npm"],
    [`${"a".repeat(63)}.org`, `${"a".repeat(63)}.org`],
  ])("%s", (text, value) => {
    expect(parseDomain(text)).toEqual({ ok: true, value });
  });

  test.each([
    ["", 'for example "example.org"'],
    ["https://example.org/x", 'a name, not an address of the web: write "example.org"'],
    ["example.org:0", "a port is a number from 1 to 65535"],
    ["example.org:65536", "a port is a number from 1 to 65535"],
    ["example.org:90-80", "a port is a number from 1 to 65535"],
    ["example.org:", "a port is a number from 1 to 65535"],
    ["@npm:443", 'write "@npm"'],
    ["10.0.0.1:443", "addresses are listed in network.allowed_egress"],
    ["example.org.", 'without the dot at the end: write "example.org"'],
    ["10.0.0.1", "addresses are listed in network.allowed_egress"],
    ["*.10.0.0.1", "addresses are listed in network.allowed_egress"],
    ["[::1]", "addresses are listed in network.allowed_egress"],
    ["10.0.0.0/8", "addresses are listed in network.allowed_egress"],
    ["bücher.example", "xn--…"],
    ["*example.org", 'for example "example.org"'],
    ["a.*.org", 'for example "example.org"'],
    ["*.*.org", 'for example "example.org"'],
    ["*.", 'for example "example.org"'],
    ["a..b", 'for example "example.org"'],
    [".org", 'for example "example.org"'],
    ["-a.org", 'for example "example.org"'],
    ["a-.org", 'for example "example.org"'],
    ["a b", 'for example "example.org"'],
    ["a/b", 'for example "example.org"'],
    [`${"a".repeat(64)}.org`, 'for example "example.org"'],
    [`${"a.".repeat(127)}org`, 'for example "example.org"'],
  ])("%p is none", (text, hint) => {
    const outcome = parseDomain(text);
    if (outcome.ok) throw new Error("was taken");
    expect(outcome.message).toEndWith("is not a domain name or pattern");
    expect(outcome.hint).toContain(hint);
  });

  test("lists by name", () => {
    expect(parseDomain("@nmp")).toEqual({
      ok: false,
      message: 'there is no list of domains "@nmp"',
      hint: 'did you mean "@npm"?',
    });
    expect(parseDomain("@everything")).toMatchObject({
      hint: expect.stringMatching(/^there are @npm, @pypi, .*@github/),
    });
    expect(parseDomain("@").ok).toBe(false);
    expect(parseDomain("@constructor").ok).toBe(false);
    expect(expandDomains(["a.b", "@crates", "*"])).toEqual([
      "a.b",
      "crates.io",
      "index.crates.io",
      "static.crates.io",
      "*",
    ]);
    for (const domain of Object.values(domainPresets).flat())
      expect(parseDomain(domain)).toEqual({ ok: true, value: domain });
  });

  test("a pattern covers what it matches and no more", () => {
    expect(domainCovers("*.b.c", "a.b.c")).toBe(true);
    expect(domainCovers("*.b.c", "x.a.b.c")).toBe(true);
    expect(domainCovers("*.b.c", "b.c")).toBe(false);
    expect(domainCovers("*.b.c", "*")).toBe(false);
    expect(domainCovers("*.b.c", "*.a.b.c")).toBe(true);
    expect(domainCovers("b.c", "a.b.c")).toBe(false);
  });
});
