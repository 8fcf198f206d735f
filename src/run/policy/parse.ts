import type { Diagnostic } from "../diagnostic.ts";
import { type ChainOptions, readChain } from "./chain.ts";
import { checkContradictions } from "./contradictions.ts";
import { hashRules } from "./hash.ts";
import { mergeChain, placesOf } from "./merge.ts";
import type { Policy } from "./policy.ts";
import { resolveRules } from "./resolve.ts";
import { inOrder } from "./source.ts";

/** A policy, or every mistake in its files. */
export type PolicyOutcome =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What the parser must know besides the text; it touches no file itself. */
export interface PolicyOptions extends ChainOptions {
  /** The file as messages name it; its base name is the policy's name, unless the file says one. */
  readonly file: string;
  /** Absolute path of the file's directory, from which relative paths in it start. */
  readonly directory?: string | undefined;
  /** SHA-256 as hexadecimal digits. */
  sha256(bytes: Uint8Array): string;
}

/** A policy's text, with all that it extends, as a policy; or everything that is wrong with it, at once. */
export function parsePolicy(text: string | Uint8Array, options: PolicyOptions): PolicyOutcome {
  const { file, directory, sha256 } = options;
  const chain = readChain({ text, file, directory }, options);
  const [asked] = chain.sources;
  const merged = mergeChain(chain);
  const contradictions = asked === undefined ? [] : checkContradictions(merged, asked);
  const diagnostics = chain.sources.flatMap((source) => {
    const here = ({ origin }: Diagnostic) => origin?.kind === "policy" && origin.file === source.file;
    return inOrder([...chain.diagnostics, ...contradictions].filter(here));
  });
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const rules = resolveRules(merged.tree);
  const name = merged.tree["zone"]?.["name"];
  const policy: Policy = {
    name: typeof name === "string" ? name : nameOfFile(file),
    hash: hashRules(rules, sha256),
    ...rules,
    base: chain.base?.name,
    places: placesOf(merged, chain.sources),
  };
  return { ok: true, policy };
}

/** The base name without `.toml`, in the characters that a name may have. */
export function nameOfFile(file: string): string {
  const base = file.slice(file.lastIndexOf("/") + 1).replace(/\.toml$/, "");
  const name = base
    .replace(/[^A-Za-z0-9_.-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 128);
  return name === "" ? "policy" : name;
}
