import { appendSegment } from "./key-path.ts";
import { readKey, skipLine, skipSpace, skipString, skipVoid, type TomlCursor, take } from "./toml-cursor.ts";

/** Where a key stands in a TOML text, as offsets. An element of an array, and a table by `[header]`, is its own key. */
export interface Location {
  readonly keyAt: number;
  readonly valueAt: number;
  /** One past the value's last character. */
  readonly valueEnd: number;
}

/** By key path as `formatKeyPath` writes it. */
export type Locations = ReadonlyMap<string, Location>;

/** A line and a column, both from 1; a column is a UTF-16 unit, as the TOML parser counts. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Segments of a dotted key, and brackets inside brackets: no policy goes deeper, and what does is passed over. */
const maxDepth = 16;
/** Nothing below a path as long as this is recorded: hostile text could make the paths together much larger than itself. */
const maxParentLength = 512;
/** Stands for the path of a table that is passed over. */
const nowhere = "\0";

interface Locator extends TomlCursor {
  readonly found: Map<string, Location>;
  /** Index of the newest table of each array of tables. */
  readonly tableArrays: Map<string, number>;
}

/**
 * Finds every key and every array element of a TOML text, since the TOML parser gives positions for syntax errors alone.
 * The text should be valid TOML; of any other text it finds what it can, and always ends.
 */
export function locateKeys(text: string): Locations {
  const locator: Locator = { text, at: text.startsWith("\ufeff") ? 1 : 0, found: new Map(), tableArrays: new Map() };
  let table = "";
  for (skipVoid(locator); locator.at < text.length; skipVoid(locator)) {
    const start = locator.at;
    if (take(locator, "[")) table = locateHeader(locator);
    else if (!locateAssignment(locator, table, 0)) skipLine(locator);
    if (locator.at === start) locator.at++;
  }
  return locator.found;
}

/** `[a.b]` or `[[a.b]]` after its first bracket; gives the path of the table. */
function locateHeader(locator: Locator): string {
  const isArray = take(locator, "[");
  const key = readKey(locator);
  const valueEnd = locator.at;
  skipLine(locator);
  if (key === undefined || key.length > maxDepth) return nowhere;
  let path = "";
  key.forEach(({ name, at }, index) => {
    const location = { keyAt: at, valueAt: at, valueEnd };
    path = record(locator, path, name, location);
    const opens = isArray && index === key.length - 1;
    const newest = locator.tableArrays.get(path);
    if (!opens && newest === undefined) return;
    const element = opens ? (newest ?? -1) + 1 : (newest ?? 0);
    locator.tableArrays.set(path, element);
    path = record(locator, path, element, location);
  });
  return path;
}

/** `a.b = value` in the table at `path`; false where that is not what stands here. */
function locateAssignment(locator: Locator, table: string, depth: number): boolean {
  const key = readKey(locator);
  if (key === undefined || !take(locator, "=")) return false;
  skipSpace(locator);
  const valueAt = locator.at;
  const path = key.length > maxDepth ? nowhere : key.reduce((path, { name }) => appendSegment(path, name), table);
  const ended = locateValue(locator, path, depth);
  let parent = table;
  for (const { name, at } of key.slice(0, maxDepth)) {
    parent = record(locator, parent, name, { keyAt: at, valueAt, valueEnd: locator.at });
  }
  return ended;
}

/** Over a value, recording the keys and elements inside it. */
function locateValue(locator: Locator, path: string, depth: number): boolean {
  const { text } = locator;
  const char = text[locator.at];
  if (char === '"' || char === "'") return skipString(locator);
  if (char === "[") return depth < maxDepth && locateElements(locator, path, depth + 1);
  if (char === "{") return depth < maxDepth && locateMembers(locator, path, depth + 1);
  const start = locator.at;
  while (locator.at < text.length && !/[,\]}#\r\n]/.test(text[locator.at] ?? "")) locator.at++;
  while (locator.at > start && /[ \t]/.test(text[locator.at - 1] ?? "")) locator.at--;
  return locator.at > start;
}

function locateElements(locator: Locator, path: string, depth: number): boolean {
  locator.at++;
  for (let index = 0; ; index++) {
    skipVoid(locator);
    if (take(locator, "]")) return true;
    const at = locator.at;
    if (!locateValue(locator, appendSegment(path, index), depth)) return false;
    record(locator, path, index, { keyAt: at, valueAt: at, valueEnd: locator.at });
    skipVoid(locator);
    if (!take(locator, ",")) return take(locator, "]");
  }
}

function locateMembers(locator: Locator, path: string, depth: number): boolean {
  locator.at++;
  for (;;) {
    skipVoid(locator);
    if (take(locator, "}")) return true;
    if (!locateAssignment(locator, path, depth)) return false;
    skipVoid(locator);
    if (!take(locator, ",")) return take(locator, "}");
  }
}

/** Records a key below `parent` and gives its path. What is found first stays: a table is where it is first named. */
function record(locator: Locator, parent: string, segment: string | number, location: Location): string {
  const path = appendSegment(parent, segment);
  if (parent.length <= maxParentLength && !parent.startsWith(nowhere) && !locator.found.has(path)) {
    locator.found.set(path, location);
  }
  return path;
}

/** Turns offsets of one text into lines and columns. */
export function positionsOf(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
