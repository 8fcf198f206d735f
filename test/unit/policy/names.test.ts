import { describe, expect, test } from "bun:test";
import { capabilityNames } from "../../../src/run/capabilities.ts";
import { describeValue, quoteShort } from "../../../src/run/policy/form.ts";
import {
  capabilityForm,
  didYouMean,
  envNameForm,
  syscallForm,
  wordForm,
  zoneNameForm,
} from "../../../src/run/policy/names.ts";

const words = ["memory_limit", "pids_max", "cpus", "cpu_shares", "io_weight"];

describe("what was probably meant", () => {
  test.each([
    ["memory_limit", "memory_limit"],
    ["memmory_limit", "memory_limit"],
    ["memory_limti", "memory_limit"],
    ["Memory_Limit", "memory_limit"],
    ["memory", "memory_limit"],
    ["mem", "memory_limit"],
    ["pid_max", "pids_max"],
    ["io-weight", "io_weight"],
    ["cpu", "cpus"],
  ])("%s: %s", (word, meant) => {
    expect(didYouMean(word, words)).toBe(`did you mean "${meant}"?`);
  });

  test.each(["", "x", "network", "m".repeat(65), "memory_limit".repeat(100)])("%p: nothing", (word) => {
    expect(didYouMean(word, words)).toBeUndefined();
  });

  test("a word of half the text costs no time", () => {
    // Against words that are compared letter by letter, on the same machine at the same time.
    const quickest = (word: string): number =>
      Math.min(
        ...Array.from({ length: 50 }, () => {
          const start = performance.now();
          didYouMean(word, words);
          return performance.now() - start;
        }),
      );
    expect(quickest("m".repeat(60_000))).toBeLessThan(10 * quickest("m".repeat(60)));
  });
});

describe("values in words", () => {
  test.each([
    ["text", '"text"'],
    ['a "b"\n', '"a \\"b\\"\\n"'],
    [1.5, "1.5"],
    [Number.NaN, "nan"],
    [-Number.POSITIVE_INFINITY, "-inf"],
    [true, "true"],
    [[1], "a list"],
    [{ a: 1 }, "a table"],
    [Object.create(null), "a table"],
    [new Date(0), "a date"],
    [undefined, "undefined"],
    [null, "null"],
  ])("%p is %s", (value, text) => {
    expect(describeValue(value)).toBe(text);
  });

  test("long text is shortened, control characters are written out", () => {
    expect(quoteShort("x".repeat(80))).toBe(`"${"x".repeat(80)}"`);
    expect(quoteShort("x".repeat(81))).toBe(`"${"x".repeat(60)}… (81 characters)"`);
    expect(quoteShort("\u001b[31m")).toBe('"\\u001b[31m"');
  });
});

describe("capabilities", () => {
  test("every name of the kernel, and no other way to write it", () => {
    for (const name of capabilityNames) {
      expect(capabilityForm(name)).toEqual({ ok: true, value: name });
      expect(capabilityForm(name.toLowerCase())).toMatchObject({ ok: false, hint: `write "${name}"` });
      expect(capabilityForm(name.slice(4).toLowerCase())).toMatchObject({ ok: false, hint: `write "${name}"` });
      expect(capabilityForm(`${name} `).ok).toBe(false);
    }
  });

  test.each(["all", "ALL", "CAP_ALL", "*", "cap_all"])("%s is not every one", (name) => {
    const outcome = capabilityForm(name);
    expect(outcome.ok ? undefined : outcome.hint).toStartWith("there is no word for all of them");
  });

  test("a new one of a newer kernel is not taken for granted", () => {
    expect(capabilityForm("CAP_41").ok).toBe(false);
    expect(capabilityForm("41").ok).toBe(false);
  });
});

describe("system calls", () => {
  test.each(["ptrace", "clone3", "_sysctl", "io_uring_setup", "x".repeat(64)])("%s", (name) => {
    expect(syscallForm(name)).toEqual({ ok: true, value: name });
  });

  test.each(["", "Ptrace", "2pac", "a-b", "a b", "a.b", "*", "x".repeat(65), "ptrace\n", "é"])(
    "%p is no name",
    (name) => {
      expect(syscallForm(name).ok).toBe(false);
    },
  );
});

describe("environment variables", () => {
  test.each(["A", "_", "a1", "LC_ALL", "x".repeat(255)])("%s", (name) => {
    expect(envNameForm(name)).toEqual({ ok: true, value: name });
  });

  test.each(["", "1A", "A-B", "A B", "A=", "A*", "$A", "A\n", "é", "x".repeat(256), "BASH_FUNC_x%%"])(
    "%p is no name",
    (name) => {
      expect(envNameForm(name).ok).toBe(false);
    },
  );
});

describe("zones", () => {
  test.each(["a", "0", "web-1", "A.b_c", "x".repeat(128)])("%s", (name) => {
    expect(zoneNameForm(name)).toEqual({ ok: true, value: name });
  });

  test.each(["", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "é", "x".repeat(129)])("%p is no name", (name) => {
    expect(zoneNameForm(name).ok).toBe(false);
  });
});

describe("words of a list", () => {
  const form = wordForm(["any", "landlock", "bpf-lsm"]);

  test("are taken as they are", () => {
    expect(form("any")).toEqual({ ok: true, value: "any" });
    for (const value of ["ANY", "any ", 1, true, null, ["any"], { any: 1 }]) expect(form(value).ok).toBe(false);
  });

  test("a list of one and of two reads well", () => {
    expect(wordForm(["a"])(1)).toMatchObject({ message: 'expected "a", found 1' });
    expect(wordForm(["a", "b"])(1)).toMatchObject({ message: 'expected "a" or "b", found 1' });
  });
});
