import { diffArrays } from "diff";

/** A piece of a line diff: so many lines kept, taken out or put in. */
export interface Run {
  readonly kind: "same" | "removed" | "added";
  readonly lines: readonly string[];
}

/** Past this many edits the shortest script is not worth its time: what lies between equal ends is replaced as a whole. */
const mostEdits = 1500;

/** Lines with their ends; the last has none where the text ends without one. */
export function splitLines(text: string): string[] {
  const lines = text.split("\n").map((line) => `${line}\n`);
  const last = lines.pop() ?? "";
  return last === "\n" ? lines : [...lines, last.slice(0, -1)];
}

/** How the lines of one text become those of another. Only this file knows the library. */
export function diffLines(before: readonly string[], after: readonly string[]): Run[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let [oldEnd, newEnd] = [before.length, after.length];
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd--;
    newEnd--;
  }
  const runs: Run[] = [
    { kind: "same", lines: before.slice(0, start) },
    ...diffMiddle(before.slice(start, oldEnd), after.slice(start, newEnd)),
    { kind: "same", lines: before.slice(oldEnd) },
  ];
  return runs.filter(({ lines }) => lines.length > 0);
}

function diffMiddle(before: readonly string[], after: readonly string[]): Run[] {
  const whole: Run[] = [
    { kind: "removed", lines: before },
    { kind: "added", lines: after },
  ];
  if (before.length === 0 || after.length === 0) return whole;
  // Numbers compare faster than lines.
  const numbers = new Map<string, number>();
  const numbered = (lines: readonly string[]) =>
    lines.map((line) => {
      const known = numbers.get(line);
      if (known !== undefined) return known;
      numbers.set(line, numbers.size);
      return numbers.size - 1;
    });
  const found = diffArrays(numbered(before), numbered(after), { maxEditLength: mostEdits });
  if (found === undefined) return whole;
  let [oldAt, newAt] = [0, 0];
  return found.map(({ added, removed, count }): Run => {
    const kind = added ? "added" : removed ? "removed" : "same";
    const lines = kind === "added" ? after.slice(newAt, newAt + count) : before.slice(oldAt, oldAt + count);
    if (kind !== "added") oldAt += count;
    if (kind !== "removed") newAt += count;
    return { kind, lines };
  });
}
