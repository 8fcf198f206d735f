/** Text in columns, for terminals of 80 characters and for golden files alike. */
export const helpWidth = 80;

/** Breaks text at spaces so that no line is longer than `width`; a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Two columns: a term, and its description from column `at` on; a term that is too long has a line of its own. */
export function columns(term: string, description: string, at: number, width = helpWidth): string[] {
  const [first = "", ...rest] = wrap(description, width - at);
  const indented = rest.map((line) => " ".repeat(at) + line);
  if (term.length + 2 > at) return [term, " ".repeat(at) + first, ...indented];
  return [(term.padEnd(at) + first).trimEnd(), ...indented];
}
