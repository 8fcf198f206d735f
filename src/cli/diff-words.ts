import { quoteName } from "../workspace/diff/git-words.ts";
import type { TaskPatch } from "../workspace/task-patch.ts";
import { paint, type WordStyle } from "./words.ts";

/** A patch for people: byte strings in, byte strings out. */

const widestBar = 40;

/** A patch for a terminal, in git's colours or without: nothing of a file's text may steer it, or stand in another order than it runs. */
export function terminalPatch(text: string, style: WordStyle): string {
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

/** U+0080 to U+009F, which terminals take for control sequences, and what turns the direction of text around; as UTF-8. */
const steering = /\u00c2[\u0080-\u009f]|\u00e2\u0080[\u008e\u008f\u00aa-\u00ae]|\u00e2\u0081[\u00a6-\u00a9]/g;

/** Control characters but the tab in caret notation, and others that steer by their number, as `less` shows them. */
function harmless(line: string): string {
  return (
    line
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (c) => `^${String.fromCharCode(c.charCodeAt(0) ^ 64)}`)
      .replace(steering, (bytes) => {
        const point = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))).charCodeAt(0);
        return `<U+${point.toString(16).toUpperCase().padStart(4, "0")}>`;
      })
  );
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
  return `${[...lines, totalLine(files.length, sum("added"), sum("removed"))].join("\n")}\n`;
}

/** As git words it: a side without lines is left out, unless both are. */
function totalLine(files: number, added: number, removed: number): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  const parts = [`${count(files, "file")} changed`];
  if (added > 0 || removed === 0) parts.push(`${count(added, "insertion")}(+)`);
  if (removed > 0 || added === 0) parts.push(`${count(removed, "deletion")}(-)`);
  return ` ${parts.join(", ")}`;
}
