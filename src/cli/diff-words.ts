import { quoteName } from "../workspace/diff/git-words.ts";
import type { TaskPatch } from "../workspace/task-patch.ts";
import { paint, type WordStyle } from "./words.ts";

/** A patch for people: byte strings in, byte strings out. */

const widestBar = 40;

/** Lines by what they begin with, in git's colours. Nothing of a file's text may steer the terminal. */
export function colourPatch(text: string, style: WordStyle): string {
  if (!style.colour) return text;
  let inHunk = false;
  return text
    .split("\n")
    .map((line) => {
      if (line.startsWith("diff --git ")) inHunk = false;
      const visible = harmless(line);
      if (line.startsWith("@@ ")) {
        inHunk = true;
        return paint(visible, "36", style);
      }
      if (!inHunk) return line === "" ? line : paint(visible, "1", style);
      if (line.startsWith("+")) return paint(visible, "32", style);
      return line.startsWith("-") ? paint(visible, "31", style) : visible;
    })
    .join("\n");
}

/** Control characters but the tab in caret notation, as `less` shows them. */
function harmless(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (c) => `^${String.fromCharCode(c.charCodeAt(0) ^ 64)}`);
}

/** One line for each file, and a sum, like `git diff --stat`. */
export function renderStat(patches: readonly TaskPatch[], style: WordStyle): string {
  const files = patches.flatMap((patch) => patch.files);
  if (files.length === 0) return "";
  const names = files.map(({ path }) => quoteName(path));
  const width = Math.max(...names.map((name) => name.length));
  const most = Math.max(1, ...files.map(({ added, removed }) => added + removed));
  const scale = Math.min(1, widestBar / most);
  const bar = (count: number) => (count === 0 ? 0 : Math.max(1, Math.round(count * scale)));
  const lines = files.map((file, index) => {
    const name = (names[index] ?? "").padEnd(width);
    if (file.binary) return ` ${name} | Bin`;
    const plus = paint("+".repeat(bar(file.added)), "32", style);
    const minus = paint("-".repeat(bar(file.removed)), "31", style);
    return ` ${name} | ${file.added + file.removed} ${plus}${minus}`.trimEnd();
  });
  const sum = (key: "added" | "removed") => files.reduce((total, file) => total + file[key], 0);
  const total = ` ${files.length} files changed, ${sum("added")} insertions(+), ${sum("removed")} deletions(-)`;
  return `${[...lines, total].join("\n")}\n`;
}
