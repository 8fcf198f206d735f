/** Patches against git itself: what git says of two contents, and what it makes of ours. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { binaryPatch } from "../../../src/workspace/diff/binary-patch.ts";
import { isGitInternal } from "../../../src/workspace/diff/git-directory.ts";
import { blobId, gitMode, headerName, isBinary, quoteName } from "../../../src/workspace/diff/git-words.ts";
import { renderHunks } from "../../../src/workspace/diff/hunks.ts";
import { splitLines } from "../../../src/workspace/diff/line-diff.ts";
import { patchPair } from "../../../src/workspace/diff/patch.ts";
import { makeFolder } from "../../support/folders.ts";
import { Random } from "../policy/random.ts";

const env = { PATH: process.env["PATH"] ?? "", GIT_CONFIG_NOSYSTEM: "1", HOME: "/nonexistent" };

/** Applies a patch to one file with git, and returns what it holds then. */
function applied(before: string, patch: string): string {
  const folder = makeFolder("patch");
  mkdirSync(`${folder}/tree`);
  writeFileSync(`${folder}/tree/file`, Buffer.from(before, "latin1"));
  writeFileSync(`${folder}/patch`, Buffer.from(patch, "latin1"));
  const git = Bun.spawnSync(["git", "apply", "--whitespace=nowarn", "../patch"], { cwd: `${folder}/tree`, env });
  expect(git.stderr.toString()).toBe("");
  return readFileSync(`${folder}/tree/file`, "latin1");
}

const side = (text: string) => ({ type: "file", mode: 0o644, content: Buffer.from(text, "latin1") }) as const;
const patchOf = (before: string, after: string) =>
  patchPair({ path: "file", before: side(before), after: side(after) }, { binary: "patch" })
    .map(({ text }) => text)
    .join("");

describe("lines", () => {
  test.each<[string, string[]]>([
    ["", []],
    ["a", ["a"]],
    ["a\n", ["a\n"]],
    ["\n", ["\n"]],
    ["a\n\nb", ["a\n", "\n", "b"]],
    ["a\r\nb\n", ["a\r\n", "b\n"]],
  ])("%j", (text, lines) => {
    expect(splitLines(text)).toEqual(lines);
    expect(splitLines(text).join("")).toBe(text);
  });
});

describe("hunks", () => {
  test("with three lines around, and none where there are none", () => {
    const before = Array.from({ length: 9 }, (_, i) => `${i}\n`).join("");
    expect(renderHunks(before, before.replace("4\n", "four\n"))).toEqual({
      text: "@@ -2,7 +2,7 @@\n 1\n 2\n 3\n-4\n+four\n 5\n 6\n 7\n",
      added: 1,
      removed: 1,
    });
  });

  test("two changes far apart are two hunks, near ones are one", () => {
    const lines = Array.from({ length: 30 }, (_, i) => `${i}\n`);
    const change = (...at: number[]) =>
      renderHunks(lines.join(""), lines.map((line, i) => (at.includes(i) ? `x${line}` : line)).join(""));
    const count = (...at: number[]) =>
      change(...at)
        .text.split("\n")
        .filter((line) => line.startsWith("@@")).length;
    expect([count(5, 12), count(5, 13), count(0, 29)]).toEqual([1, 2, 2]);
  });

  test("from and to nothing", () => {
    expect(renderHunks("", "a\nb\n").text).toBe("@@ -0,0 +1,2 @@\n+a\n+b\n");
    expect(renderHunks("a\n", "").text).toBe("@@ -1 +0,0 @@\n-a\n");
    expect(renderHunks("same\n", "same\n").text).toBe("");
  });

  test("without a newline at the end, on either side", () => {
    expect(renderHunks("a", "a\n").text).toBe("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    expect(renderHunks("a\n", "a").text).toBe("@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n");
  });

  test("of two long texts that have nothing in common are made in time", () => {
    const text = (seed: number) => Array.from({ length: 20_000 }, (_, i) => `${(i * seed) % 7919} ${seed}\n`).join("");
    const began = performance.now();
    const { added, removed } = renderHunks(text(3), text(5));
    expect([added, removed, performance.now() - began < 10_000]).toEqual([20_000, 20_000, true]);
  });
});

describe("git applies", () => {
  test.each(Array.from({ length: 40 }, (_, i) => i))("random text, seed %d", (seed) => {
    const random = new Random(seed);
    const line = () => `${random.int(0, 6)}${random.chance(0.1) ? "\r" : ""}${random.chance(0.1) ? " " : ""}\n`;
    const lines = Array.from({ length: random.int(0, 60) }, line);
    const edited = lines.flatMap((old) => (random.chance(0.85) ? [old] : random.chance(0.5) ? [] : [old, line()]));
    const end = (text: string) => (random.chance(0.3) ? text.replace(/\n$/, "") : text);
    const [before, after] = [end(lines.join("")), end(edited.join(""))];
    const patch = patchOf(before, after);
    if (before === after) expect(patch).toBe("");
    else expect(applied(before, patch)).toBe(after);
  });

  test.each([0, 1, 51, 52, 53, 5000, 300_000])("%d bytes that are no text", (length) => {
    const random = new Random(length);
    const after = `\0${String.fromCharCode(...Array.from({ length: Math.min(length, 50_000) }, () => random.int(0, 255)))}`;
    expect(applied("\0before", patchOf("\0before", after))).toBe(after);
  });
});

describe("git's words", () => {
  test.each([
    ["plain.txt", "plain.txt"],
    ["with blank", "with blank"],
    ["tab\t", '"tab\\t"'],
    ['quo"te', '"quo\\"te"'],
    ["back\\slash", '"back\\\\slash"'],
    ["new\nline", '"new\\nline"'],
    ["\xc3\xa4", '"\\303\\244"'],
    ["\x7f\x01", '"\\177\\001"'],
  ])("the name %j is written %s", (name, quoted) => {
    expect(quoteName(name)).toBe(quoted);
  });

  test("a name with a blank ends with a tab in a header", () => {
    expect([headerName("a b"), headerName("ab")]).toEqual(["a b\t", "ab"]);
  });

  test("a blob's id is git's", () => {
    const { stdout } = Bun.spawnSync(["git", "hash-object", "--stdin"], { stdin: Buffer.from("hello\n"), env });
    expect(blobId(Buffer.from("hello\n"))).toBe(stdout.toString().trim());
  });

  test("of a mode git knows whether the owner may execute", () => {
    expect([0o644, 0o600, 0o755, 0o100, 0o011].map((mode) => gitMode("file", mode))).toEqual([
      "100644",
      "100644",
      "100755",
      "100755",
      "100644",
    ]);
    expect(gitMode("symlink", 0o777)).toBe("120000");
  });

  test("a NUL among the first 8000 bytes makes it binary", () => {
    expect([isBinary(Buffer.from("a\0")), isBinary(Buffer.concat([Buffer.alloc(8000, 65), Buffer.from([0])]))]).toEqual(
      [true, false],
    );
  });

  test.each([".git/config", "sub/.git/hooks/x", ".GIT/x", ".git"])("%s is git's own", (path) => {
    expect(isGitInternal(path)).toBe(true);
  });

  test.each([".gitignore", ".github/x", "a.git/x"])("%s is not", (path) => {
    expect(isGitInternal(path)).toBe(false);
  });

  test("a binary patch says both contents", () => {
    const text = binaryPatch(Buffer.from("old"), Buffer.from("newer"));
    expect(text).toMatch(/^GIT binary patch\nliteral 5\n[\s\S]*\n\nliteral 3\n[\s\S]*\n\n$/);
  });
});

describe("a file that became a symlink", () => {
  test("is deleted and made again", () => {
    const link = { type: "symlink", mode: 0o777, content: Buffer.from("target") } as const;
    const patches = patchPair({ path: "p", before: side("x\n"), after: link }, { binary: "patch" });
    expect(patches.map(({ text }) => text.split("\n")[1])).toEqual([
      "deleted file mode 100644",
      "new file mode 120000",
    ]);
  });
});
