import { describe, expect, test } from "bun:test";
import { mistakesIn, policyOf, readPolicy } from "./reading.ts";

/** Text made to break what reads it. Policies may come from a repository that is not trusted. */

describe("keys that objects have of themselves", () => {
  test("never become part of what every object has", () => {
    for (const text of [
      "__proto__.polluted = 1",
      "[__proto__]\npolluted = 1",
      "[env.set]\n__proto__ = 'x'",
      'env.set = { __proto__ = "x" }',
      '[env.set]\n"\\u005f_proto__" = "x"',
      "[constructor.prototype]\npolluted = 1",
      "[[__proto__]]\npolluted = 1",
      "zone.__proto__.type = 'privileged'",
      "extends = '__proto__'",
      "extends = 'toString'",
    ]) {
      expect(mistakesIn(text), text).not.toEqual([]);
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    }
  });

  test("a variable called like one is a variable", () => {
    const { env } = policyOf('[env]\npass = ["toString"]\nset = { valueOf = "1", hasOwnProperty = "2" }');
    expect(Object.entries(env.set)).toEqual([
      ["valueOf", "1"],
      ["hasOwnProperty", "2"],
    ]);
    expect(env.pass).toEqual(["toString"]);
  });
});

describe("text that would show as something else", () => {
  test("control characters of a value are written out in messages", () => {
    const [mistake = ""] = mistakesIn('network.mode = "\\u001b[2Jnone"');
    expect(mistake).toContain('"\\u001b[2Jnone"');
    expect(mistake).not.toContain("\u001b");
  });

  test("control characters of a key are written out in its path", () => {
    const [mistake = ""] = mistakesIn('"a\\u001b\\n" = 1');
    expect(mistake).toStartWith('p.toml:1:1 "a\\u001b\\n": unknown key "a\\u001b\\n"');
  });

  test("a capability of look-alike letters is none", () => {
    expect(mistakesIn('capabilities.allowed = ["CAP_СHOWN"]')).toHaveLength(1);
    expect(mistakesIn('network.mode = "nоne"')).toHaveLength(1);
  });

  test("a path of look-alike slashes is relative", () => {
    expect(mistakesIn('filesystem.readable_paths = ["∕etc"]')).toHaveLength(1);
  });
});

describe("values that would weaken the zone when they are misread", () => {
  test.each([
    ["a limit of nothing", "resources.memory_limit = 0"],
    ["scratch without end", "filesystem.tmp_size = 0"],
    ["inodes without end", "filesystem.tmp_inodes = 0"],
    ["an image without end", "image.layer_size = 'unlimited'"],
    ["a negative limit", "limits.nofile = -1"],
    ["infinity", "resources.cpus = inf"],
    ["not a number", "resources.cpus = nan"],
    ["a number past what can be counted", "resources.pids_max = 9007199254740993"],
    ["a size past what can be counted", 'resources.memory_limit = "16777216T"'],
    ["a negative duration", "limits.walltime = -5"],
    ["false for none", "network.mode = false"],
    ["a list for a word", 'network.mode = ["none"]'],
    ["an empty word", 'network.mode = ""'],
    ["every port by a range that wraps", 'network = { mode = "bridged", allowed_egress = ["1.1.1.1:65535-1"] }'],
    ["octal octets", 'network = { mode = "bridged", allowed_egress = ["010.0.0.1:1"] }'],
    ["an address of few parts", 'network = { mode = "bridged", allowed_egress = ["127.1:1"] }'],
    ["a path through ..", 'filesystem.readable_paths = ["/srv/../etc/shadow"]'],
    ["a device through ..", 'devices.allowed = ["/dev/../etc/shadow"]'],
  ])("%s", (_, text) => {
    expect(mistakesIn(text)).toHaveLength(1);
  });
});

describe("text that is large where it can be", () => {
  const moment = (text: string) => {
    const start = performance.now();
    const outcome = readPolicy(text);
    expect(performance.now() - start).toBeLessThan(5000);
    return outcome;
  };

  test("one long line", () => {
    expect(moment(`env.set.A = "${"x".repeat(65_000)}"`).ok).toBe(true);
    expect(moment(`network.mode = "${"x".repeat(65_000)}"`).ok).toBe(false);
    expect(moment(`${"x".repeat(65_000)} = 1`).ok).toBe(false);
  });

  test("many entries, right and wrong", () => {
    expect(moment(`env.pass = [${'"A",'.repeat(16_000)}]`).ok).toBe(true);
    expect(moment(`capabilities.allowed = [${'"B",'.repeat(16_000)}]`).ok).toBe(false);
    expect(moment(`syscalls = { deny = [${'"a",'.repeat(8000)}], allow = [${'"b",'.repeat(8000)}] }`).ok).toBe(true);
  });

  test("many paths against many denied ones", () => {
    const paths = (letter: string) => Array.from({ length: 3300 }, (_, i) => `"/${letter}${i}"`).join(",");
    expect(moment(`filesystem = { readable_paths = [${paths("a")}], denied_paths = [${paths("b")}] }`).ok).toBe(true);
  });

  test("line ends alone, comments alone", () => {
    expect(moment("\n".repeat(65_536)).ok).toBe(true);
    expect(moment("#\n".repeat(32_768)).ok).toBe(true);
  });
});
