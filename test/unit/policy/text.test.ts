import { describe, expect, test } from "bun:test";
import { maxPolicyBytes } from "../../../src/run/policy/decode.ts";
import { mistakesIn, policyOf, readPolicy } from "./reading.ts";

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : part)));

describe("the text of a policy", () => {
  test("may come as bytes or as text", () => {
    const text = 'env.set.WHO = "é😀"';
    expect(policyOf(text).env.set).toEqual({ WHO: "é😀" });
    const outcome = readPolicy(bytes(text));
    expect(outcome.ok && outcome.policy.env.set["WHO"]).toBe("é😀");
  });

  test("may have 64 KiB, and not a byte more", () => {
    const line = "# é\n";
    const text = line.repeat(maxPolicyBytes / 5).padEnd(maxPolicyBytes - Math.floor(maxPolicyBytes / 5), "#");
    expect(bytes(text)).toHaveLength(maxPolicyBytes);
    expect(mistakesIn(text)).toEqual([]);
    expect(mistakesIn(`${text}#`)).toEqual(["p.toml:1:1: the policy has 65537 bytes, more than 65536 (64 KiB)"]);
    expect(mistakesIn(new Uint8Array(1 << 24))).toEqual([
      "p.toml:1:1: the policy has 16777216 bytes, more than 65536 (64 KiB)",
    ]);
  });

  test("may begin with a byte order mark", () => {
    expect(policyOf("\ufeffresources.pids_max = 7").resources.pidsMax).toBe(7);
    const outcome = readPolicy(bytes([0xef, 0xbb, 0xbf], "resources.pids_max = 7"));
    expect(outcome.ok && outcome.policy.resources.pidsMax).toBe(7);
  });

  test("may have CRLF at its line ends", () => {
    expect(policyOf("[resources]\r\npids_max = 7\r\n").resources.pidsMax).toBe(7);
    expect(mistakesIn("[resources]\r\n\r\npids_max = 1\r\n")[0]).toStartWith("p.toml:3:12 ");
  });
});

describe("what is no text", () => {
  test("a NUL byte", () => {
    const hint = "a NUL byte in the text (is this a binary file, or UTF-16?)";
    expect(mistakesIn("a = 1\n#\0")).toEqual([`p.toml:2:2: ${hint}`]);
    expect(mistakesIn(bytes([0x7f, 0x45, 0x4c, 0x46, 0, 0xff]))).toEqual([`p.toml:1:5: ${hint}`]);
    expect(mistakesIn(bytes([0x5b, 0, 0x61, 0]))).toEqual([`p.toml:1:2: ${hint}`]);
  });

  test.each([
    ["a byte of Latin-1", bytes('# x\nenv.set.A = "', [0xe9], '"'), "2:14", "0xe9"],
    ["a character that is cut at the end", bytes("ab", [0xf0, 0x9f, 0x98]), "1:3", "0xf0"],
    ["an overlong character", bytes("#", [0xc0, 0x80]), "1:2", "0xc0"],
    ["half of a surrogate pair", bytes("\n\n", [0xed, 0xa0, 0x80]), "3:1", "0xed"],
    ["a lone continuation", bytes("é", [0x80]), "1:2", "0x80"],
    ["UTF-16 with its mark", bytes([0xff, 0xfe, 0x5b]), "1:1", "0xff"],
    ["beyond the last character", bytes([0xf4, 0x90, 0x80, 0x80]), "1:1", "0xf4"],
  ])("%s", (_, text, place, byte) => {
    expect(mistakesIn(text)).toEqual([`p.toml:${place}: the byte ${byte} is not UTF-8 here (save the file as UTF-8)`]);
  });
});

describe("what is no TOML", () => {
  test.each([
    ["a", "1:1"],
    ["[zone\n", "1:6"],
    ["x = \n", "1:5"],
    ["[zone]\nname = web\n", "2:8"],
    ['[zone]\nname = "web\n', "2:12"],
    ["[zone]\n[zone]\n", "2:2"],
    ["[zone]\nname = 'a'\nname = 'b'\n", "3:1"],
    ["a = 99999999999999999999", "1:5"],
    ["a = 1979-13-45", "1:5"],
    ["{}", "1:1"],
    ["a = [1, 2", "1:10"],
  ])("%p is told once, with its place", (text, place) => {
    const mistakes = mistakesIn(text);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(/^p\.toml:\d+:\d+: not TOML: [^\n]+$/);
    expect(mistakes[0]).toStartWith(`p.toml:${place}: `);
  });

  test("nesting without end is refused, not followed", () => {
    for (const text of [`a = ${"[".repeat(65_000)}`, `a = ${"{a=".repeat(20_000)}`])
      expect(mistakesIn(text)).toHaveLength(1);
    const dotted = mistakesIn(`a${".a".repeat(32_000)} = 1`);
    expect(dotted).toHaveLength(1);
    expect(dotted[0]).toStartWith("p.toml:1:1 a: unknown section [a]");
  });
});
