import { describe, expect, test } from "bun:test";
import { terminalPatch } from "../../../src/cli/diff-words.ts";

/** Text as the bytes that it is in a file, one character each. */
const bytes = (text: string): string => Buffer.from(text).toString("latin1");
const hunk = (line: string): string => `diff --git a/x b/x\n@@ -0,0 +1 @@\n+${bytes(line)}\n`;

describe("a patch on a terminal", () => {
  for (const colour of [true, false]) {
    const shown = (line: string): string => terminalPatch(hunk(line), { colour }).split("\n")[2] ?? "";
    const painted = (text: string): string => (colour ? `\u001b[32m+${text}\u001b[0m` : `+${text}`);

    test(`can't steer it, ${colour ? "with" : "without"} colours`, () => {
      expect(shown("a\u001b]0;title\u0007b\rc\u007f")).toBe(painted("a^[]0;title^Gb^Mc^?"));
      expect(shown("a\u009b31mb\u0085")).toBe(painted("a<U+009B>31mb<U+0085>"));
    });

    test(`shows what turns text around, ${colour ? "with" : "without"} colours`, () => {
      expect(shown("if (admin\u202e\u2066)\u200f")).toBe(painted("if (admin<U+202E><U+2066>)<U+200F>"));
    });

    test(`leaves other text as it is, ${colour ? "with" : "without"} colours`, () => {
      expect(shown("\tä € 語 🌲 \u00a0\u2028")).toBe(painted(bytes("\tä € 語 🌲 \u00a0\u2028")));
    });
  }
});
