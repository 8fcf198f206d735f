/** `WWW-Authenticate` (RFC 9110, 11.6.1): how a registry wants to be asked. */

/** One challenge of a `WWW-Authenticate` header, RFC 9110. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameterPattern = new RegExp(`[\\s,]*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`, "y");
const schemePattern = new RegExp(`[\\s,]*(${token})(?=[\\s,]|$)`, "y");
/** A header is short; what is longer is not read. */
const maxLength = 8192;

/** Every challenge of a header, in order. What can't be read ends the list. */
export function parseChallenges(header: string | null): Challenge[] {
  const text = (header ?? "").slice(0, maxLength);
  const challenges: Challenge[] = [];
  for (let at = 0; ; ) {
    schemePattern.lastIndex = at;
    const scheme = schemePattern.exec(text);
    if (scheme === null) return challenges;
    at = schemePattern.lastIndex;
    const parameters = new Map<string, string>();
    for (;;) {
      parameterPattern.lastIndex = at;
      const parameter = parameterPattern.exec(text);
      if (parameter === null) break;
      at = parameterPattern.lastIndex;
      const name = (parameter[1] ?? "").toLowerCase();
      if (!parameters.has(name)) parameters.set(name, parameter[2]?.replace(/\\(.)/g, "$1") ?? parameter[3] ?? "");
    }
    challenges.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters });
  }
}
