/**
 * What is wrong with an input, as data. Rendering to words for people is `src/cli`'s work; a diagnostic says
 * what, where, what was expected and how to fix it.
 */

/** Where a rule or a mistake comes from: every failure points home to one of these. */
export type Origin =
  /** A command line flag; `index` counts from 1 among flags of that name. */
  | { readonly kind: "flag"; readonly flag: string; readonly index?: number }
  /** A policy key as a dotted path (`filesystem.writable_paths[2]`); line and column count from 1, shipped policies have none. */
  | {
      readonly kind: "policy";
      readonly policy: string;
      readonly key: string;
      readonly file?: string | undefined;
      readonly line?: number | undefined;
      readonly column?: number | undefined;
    }
  /** Neither asked for by flag nor by policy: part of what every zone is. */
  | { readonly kind: "zone"; readonly what: string }
  /** A fact of the host. */
  | { readonly kind: "host"; readonly what: string };

/** `error.code` of a result; append-only. */
export type ErrorCode =
  | "usage"
  | "invalid_argument"
  | "invalid_policy"
  | "not_found"
  | "already_exists"
  | "permission"
  | "unsupported"
  | "unenforceable"
  | "setup_failed"
  | "not_executable"
  | "command_not_found"
  | "cancelled"
  | "internal"
  | "conflict"
  | "invalid_config"
  /** A registry wants other credentials, or gives this user nothing. */
  | "unauthorized"
  | "rate_limited"
  /** The other side's certificate is not trusted, or TLS failed. */
  | "tls_failed"
  /** No connection, no name, no answer in time. */
  | "unreachable"
  /** A registry answered what no registry should. */
  | "registry_error"
  /** Bytes are not what their digest or size says. */
  | "digest_mismatch"
  /** A manifest, an index, a configuration or an archive breaks its format or a limit. */
  | "invalid_image";

/** One mistake or impossibility. `message` says what and what was expected, `hint` how to fix it. */
export interface Diagnostic {
  readonly code: ErrorCode;
  readonly message: string;
  readonly origin?: Origin | undefined;
  readonly hint?: string | undefined;
}

/** An origin in words, as `--explain`, messages and `error.origin` show it. */
export function renderOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
      return origin.index === undefined ? origin.flag : `${origin.flag} #${origin.index}`;
    case "policy": {
      const place =
        origin.file === undefined
          ? `policy ${origin.policy}`
          : origin.line === undefined
            ? origin.file
            : `${origin.file}:${origin.line}:${origin.column ?? 1}`;
      return `${place} ${origin.key}`.trimEnd();
    }
    case "zone":
      return `zone (${origin.what})`;
    case "host":
      return `host (${origin.what})`;
  }
}

/** The candidate nearest to `word` by edit distance (Damerau-Levenshtein), if near enough to be what was meant. */
export function nearestName(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
