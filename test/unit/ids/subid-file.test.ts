import { describe, expect, test } from "bun:test";
import { parseSubids } from "../../../src/run/ids/subid-file.ts";

const alice = { name: "alice", uid: 1000, own: 1000 };
const parse = (text: string, owner: Parameters<typeof parseSubids>[2] = alice) =>
  parseSubids(text, "/etc/subuid", owner);

describe("the ranges of a user", () => {
  test("by name and by number, in the order of the file; others' lines are theirs", () => {
    const text = "bob:1:2\nalice:100000:65536\n\n# alice:5:5\n1000:300000:10\nalic:1:1\nalicea:1:1\n01000:1:1\n";
    expect(parse(text)).toEqual({
      ranges: [
        { first: 100_000, count: 65_536 },
        { first: 300_000, count: 10 },
      ],
      diagnostics: [],
    });
  });

  test("whatever is wrong with the lines of others", () => {
    expect(parse("bob:x:y\nbob\n:::\nalice:7:1\nalice2:0:0").ranges).toEqual([{ first: 7, count: 1 }]);
    expect(parse("bob:x:y\n\u0000\nalice:7:1").diagnostics).toEqual([]);
  });

  test("no account: by number alone", () => {
    const nobody = { name: undefined, uid: 12321, own: 12321 };
    expect(parse("12321:5:6\n:1:1", nobody).ranges).toEqual([{ first: 5, count: 6 }]);
    const [missing] = parse("", nobody).diagnostics;
    expect(missing?.message).toBe("/etc/subuid has no range of ids for the uid 12321");
    expect(missing?.hint).toBe("echo 12321:100000:65536 | sudo tee -a /etc/subuid /etc/subgid");
  });
});

describe("what is said", () => {
  test("no range: with the command that gives one which nobody has", () => {
    const { ranges, diagnostics } = parse("bob:100000:65536\ncarol:165536:65536\n");
    expect(ranges).toEqual([]);
    expect(diagnostics).toEqual([
      {
        code: "unenforceable",
        message: "/etc/subuid has no range of ids for alice (uid 1000)",
        hint: "sudo usermod --add-subuids 231072-296607 --add-subgids 231072-296607 alice",
      },
    ]);
  });

  test.each([
    ["alice:1", "is no range of ids"],
    ["alice:1:2:3", "is no range of ids"],
    ["alice::5", "is no range of ids"],
    ["alice:5:0", "is no range of ids"],
    ["alice:-5:10", "is no range of ids"],
    ["alice:0x10:10", "is no range of ids"],
    ["alice:1e5:10", "is no range of ids"],
    ["alice:99999999999:1", "is no range of ids"],
    ["alice:4294967295:1", "ends above 4294967294"],
    ["alice:4294901760:65536", "ends above 4294967294"],
    ["alice:900:200", "has the user's own id 1000 in it"],
  ])("%j, with its line", (line, words) => {
    const { diagnostics } = parse(`bob:1:1\n${line}\n`);
    expect(diagnostics.map(({ code }) => code)).toEqual(["invalid_config"]);
    expect(diagnostics[0]?.message).toStartWith("/etc/subuid:2: ");
    expect(diagnostics[0]?.message).toContain(words);
  });

  test("ranges that overlap, all mistakes at once", () => {
    const { diagnostics } = parse("alice:5000:10\nalice:5009:1\nalice:x:1\nalice:5010:1\n");
    expect(diagnostics.map(({ message }) => message)).toEqual([
      "/etc/subuid:2: the range overlaps that of line 1",
      '/etc/subuid:3: "alice:x:1" is no range of ids',
    ]);
  });

  test("more ranges than the kernel maps", () => {
    const text = Array.from({ length: 331 }, (_, index) => `alice:${2000 + 2 * index}:1`).join("\n");
    expect(parse(text).diagnostics[0]?.message).toBe("/etc/subuid has 331 ranges for one user");
  });

  test("a range that ends with the last id is one", () => {
    expect(parse("alice:4294967294:1").ranges).toEqual([{ first: 4_294_967_294, count: 1 }]);
  });
});
