import { describe, expect, test } from "bun:test";
import { exitCodeOf } from "../../../src/cli/words.ts";
import { mistake, refused } from "./sandbox-args.ts";

describe("options whose feature is not in this build", () => {
  test.each<string[]>([["--name", "z"], ["--keep-zone"], ["--isolation", "vm"]])(
    "%s %s is known and refused",
    (...argv) => {
      const found = mistake(...argv);
      expect(found).toMatchObject({ code: "unsupported", origin: { kind: "flag", flag: argv[0] ?? "" } });
      expect(found.message).toContain("not available in this build");
      expect(exitCodeOf([found])).toBe(125);
    },
  );

  test("an enum value says which ones there are", () => {
    expect(mistake("--isolation=vm").hint).toBe("write --isolation zone");
  });

  test("beside a mistake the command line is a usage error", () => {
    expect(exitCodeOf(refused("--name", "x", "--netwrok", "none"))).toBe(2);
    expect(exitCodeOf(refused("--name", "x", "--keep-zone"))).toBe(125);
  });
});
