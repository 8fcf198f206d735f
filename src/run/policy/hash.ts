import type { Policy } from "./policy.ts";

/** What of a policy its hash covers: every rule, and neither its name nor where it was said. */
export type PolicyRules = Omit<Policy, "name" | "hash" | "places" | "base">;

/** `sha256:` and the digest of the rules' canonical JSON. The digest function is the caller's, since the core has none. */
export function hashRules(rules: PolicyRules, sha256: (bytes: Uint8Array) => string): string {
  return `sha256:${sha256(new TextEncoder().encode(canonicalJson(rules)))}`;
}

/** JSON without spaces, keys sorted by code unit: one text for one value. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(",")}}`;
}
