import { diffLines, type Run, splitLines } from "./line-diff.ts";

/** Lines of unchanged text around a change. */
const context = 3;

/** What differs between two texts. */
export interface Hunks {
  /** Unified hunks; empty when nothing differs. */
  readonly text: string;
  readonly added: number;
  readonly removed: number;
}

/** Two texts as unified hunks, in git's words. Texts are byte strings. */
export function renderHunks(before: string, after: string): Hunks {
  const runs = diffLines(splitLines(before), splitLines(after));
  const count = (kind: Run["kind"]) => runs.reduce((sum, run) => sum + (run.kind === kind ? run.lines.length : 0), 0);
  const writer = new HunkWriter();
  runs.forEach((run, index) => {
    if (run.kind === "same") writer.same(run.lines, index === 0, index === runs.length - 1);
    else writer.change(run.kind === "added" ? "+" : "-", run.lines);
  });
  return { text: writer.finish(), added: count("added"), removed: count("removed") };
}

/** Gathers lines into hunks; a gap of more than twice the context parts two of them. */
class HunkWriter {
  readonly #out: string[] = [];
  /** Lines of the hunk at hand. */
  #body: string[] = [];
  #oldLine = 1;
  #newLine = 1;
  #oldStart = 1;
  #newStart = 1;
  #oldCount = 0;
  #newCount = 0;

  same(lines: readonly string[], first: boolean, last: boolean): void {
    const head = first ? 0 : Math.min(context, lines.length);
    const tail = last ? 0 : Math.min(context, lines.length);
    if (!first && !last && lines.length <= 2 * context) {
      for (const line of lines) this.#add(" ", line);
      return;
    }
    for (const line of lines.slice(0, head)) this.#add(" ", line);
    if (!first) this.#flush();
    const skipped = lines.length - head - tail;
    this.#oldLine += skipped;
    this.#newLine += skipped;
    this.#begin();
    if (tail > 0) for (const line of lines.slice(-tail)) this.#add(" ", line);
  }

  change(mark: "+" | "-", lines: readonly string[]): void {
    for (const line of lines) this.#add(mark, line);
  }

  finish(): string {
    this.#flush();
    return this.#out.join("");
  }

  #begin(): void {
    this.#oldStart = this.#oldLine;
    this.#newStart = this.#newLine;
    this.#oldCount = 0;
    this.#newCount = 0;
    this.#body = [];
  }

  #add(mark: " " | "+" | "-", line: string): void {
    if (mark !== "+") this.#oldCount++;
    if (mark !== "-") this.#newCount++;
    if (mark !== "+") this.#oldLine++;
    if (mark !== "-") this.#newLine++;
    this.#body.push(line.endsWith("\n") ? `${mark}${line}` : `${mark}${line}\n\\ No newline at end of file\n`);
  }

  #flush(): void {
    if (this.#body.some((line) => !line.startsWith(" "))) {
      const old = range(this.#oldStart, this.#oldCount);
      this.#out.push(`@@ -${old} +${range(this.#newStart, this.#newCount)} @@\n`, ...this.#body);
    }
    this.#begin();
  }
}

/** A side without lines starts at the line before. */
function range(start: number, count: number): string {
  return count === 1 ? `${start}` : `${count === 0 ? start - 1 : start},${count}`;
}
