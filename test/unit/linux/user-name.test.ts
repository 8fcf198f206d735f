import { expect, test } from "bun:test";
import { isUserName } from "../../../src/linux/probe/facts.ts";

/** What useradd(8) takes, as its manual writes it. */
const form = /^[a-z_][a-z0-9_-]{0,31}$/;

test.each(["a", "_", "alice", "www-data", "u1", "_apt", "a".repeat(32), "x-", "a_b-9"])("%p is a name", (name) => {
  expect(isUserName(name)).toBe(true);
});

test.each(["", "-", "1a", "Alice", "a b", "a:b", "a\n", "\n", "a.b", "ä", "a".repeat(33), "root\0"])(
  "%p is none",
  (name) => {
    expect(isUserName(name)).toBe(false);
  },
);

test("agrees with the manual's form on all words of two letters", () => {
  for (let first = 0; first < 128; first++) {
    for (let second = 0; second < 128; second++) {
      const word = String.fromCharCode(first, second);
      if (isUserName(word) !== form.test(word)) throw new Error(JSON.stringify(word));
    }
  }
});
