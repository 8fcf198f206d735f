import type { Diagnostic } from "../diagnostic.ts";
import { formatKeyPath, type KeyPath } from "./key-path.ts";
import type { Locations, Position } from "./locate.ts";

/** One policy file, read: what it says as TOML data, where it says it, and what is wrong with it by itself. */
export interface PolicySource {
  /** As messages name it. */
  readonly file: string;
  readonly tree: Readonly<Record<string, unknown>>;
  readonly locations: Locations;
  readonly position: (offset: number) => Position;
  readonly diagnostics: readonly Diagnostic[];
}

/** Where a key or its value stands; of a key that the locator passed over, its nearest ancestor. */
export function placeIn(source: PolicySource, path: KeyPath, part: "key" | "value"): Position {
  for (let length = path.length; length > 0; length--) {
    const location = source.locations.get(formatKeyPath(path.slice(0, length)));
    if (location !== undefined) return source.position(part === "key" ? location.keyAt : location.valueAt);
  }
  return { line: 1, column: 1 };
}

/** A mistake at a key of a file, or at its value. */
export function mistake(
  source: PolicySource,
  path: KeyPath,
  part: "key" | "value",
  message: string,
  hint?: string,
): Diagnostic {
  const { file } = source;
  const origin = {
    kind: "policy",
    policy: file,
    key: formatKeyPath(path),
    file,
    ...placeIn(source, path, part),
  } as const;
  return { code: "invalid_policy", message, hint, origin };
}

/** By line and column. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const place = ({ origin }: Diagnostic) =>
    origin?.kind === "policy" ? [origin.line ?? 0, origin.column ?? 0] : [0, 0];
  return diagnostics.toSorted((a, b) => {
    const [[lineA = 0, columnA = 0], [lineB = 0, columnB = 0]] = [place(a), place(b)];
    return lineA - lineB || columnA - columnB;
  });
}
