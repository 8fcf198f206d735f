/** Reads the imports of a TypeScript source: static, type-only, re-exports, dynamic and require. */

export type ImportKind = "static" | "type" | "dynamic";

export interface Import {
  /** What stands between the quotes; undefined when it is computed and so can't be checked. */
  readonly specifier: string | undefined;
  readonly kind: ImportKind;
  readonly line: number;
}

const FROM =
  /\b(?:import|export)\b(\s+type\b(?!\s*(?:from\b|,)))?(?:[\w$*{}\s,]|"[^"\n]*")*?\bfrom\s*(["'])([^"'\n]+)\2/g;
const BARE = /\bimport\s*(["'])([^"'\n]+)\1/g;
const CALL = /(?<![.\w$])(?:import|require|import\.meta\.require)\s*\(\s*(?:(["'`])([^"'`\n$]*)\1\s*[,)])?/g;

/** Every import of the source, in order of kind, with the line it starts on. */
export function scanImports(source: string): Import[] {
  const code = blankComments(source);
  const lineOf = (index: number): number => code.slice(0, index).split("\n").length;
  const found: Import[] = [];
  for (const match of code.matchAll(FROM)) {
    const kind = match[1] ? "type" : "static";
    found.push({ specifier: match[3], kind, line: lineOf(match.index) });
  }
  for (const match of code.matchAll(BARE)) {
    found.push({ specifier: match[2], kind: "static", line: lineOf(match.index) });
  }
  for (const match of code.matchAll(CALL)) {
    found.push({ specifier: match[2], kind: "dynamic", line: lineOf(match.index) });
  }
  return found;
}

/**
 * Replaces comments by spaces, keeping every line break, so that what is commented out doesn't count. Strings, templates and
 * regular expressions are passed over, because `"//"` starts no comment.
 */
export function blankComments(source: string): string {
  let out = "";
  let at = 0;
  while (at < source.length) {
    const end = endOfToken(source, at, out);
    const token = source.slice(at, end);
    const isComment = token.startsWith("//") || token.startsWith("/*");
    out += isComment ? token.replace(/[^\n]/g, " ") : token;
    at = end;
  }
  return out;
}

/** Where the comment, string, template or regular expression that starts here ends; one further for anything else. */
function endOfToken(source: string, at: number, before: string): number {
  const char = source[at];
  if (char === '"' || char === "'") return endOfQuoted(source, at, char);
  if (char === "`") return endOfTemplate(source, at);
  if (char !== "/") return at + 1;
  if (source[at + 1] === "/") return indexOrEnd(source, "\n", at);
  if (source[at + 1] === "*") return indexOrEnd(source, "*/", at + 2, 2);
  return startsRegex(before) ? endOfRegex(source, at) : at + 1;
}

function indexOrEnd(source: string, needle: string, from: number, past = 0): number {
  const index = source.indexOf(needle, from);
  return index < 0 ? source.length : index + past;
}

function endOfQuoted(source: string, at: number, quote: string): number {
  for (let index = at + 1; index < source.length; index++) {
    if (source[index] === "\\") index++;
    else if (source[index] === quote || source[index] === "\n") return index + 1;
  }
  return source.length;
}

function endOfTemplate(source: string, at: number): number {
  for (let index = at + 1; index < source.length; index++) {
    if (source[index] === "\\") index++;
    else if (source[index] === "`") return index + 1;
    else if (source.startsWith("${", index)) index = endOfHole(source, index + 2) - 1;
  }
  return source.length;
}

/** The end of a template's `${…}`, which may hold further strings and templates. */
function endOfHole(source: string, at: number): number {
  let depth = 1;
  for (let index = at; index < source.length; ) {
    if (source[index] === "{") depth++;
    if (source[index] === "}" && --depth === 0) return index + 1;
    index = endOfToken(source, index, source.slice(at, index));
  }
  return source.length;
}

/** A slash divides after a value and starts a regular expression after anything else. */
function startsRegex(before: string): boolean {
  const text = before.trimEnd();
  return text === "" || /[(,=:[!&|?{};+\-*%<>~^]$/.test(text) || /\b(return|typeof|case|in|of|void|await)$/.test(text);
}

function endOfRegex(source: string, at: number): number {
  let inClass = false;
  for (let index = at + 1; index < source.length; index++) {
    const char = source[index];
    if (char === "\\") index++;
    else if (char === "\n") return index;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return index + 1;
  }
  return source.length;
}
