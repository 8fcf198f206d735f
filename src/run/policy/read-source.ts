import { decodePolicy } from "./decode.ts";
import { locateKeys, type Position, positionsOf } from "./locate.ts";
import { resolveProfile } from "./paths.ts";
import { readDocument } from "./reader.ts";
import { inOrder, mistake, type PolicySource } from "./source.ts";
import { parseToml } from "./toml.ts";

/** Text and name of a policy file. */
export interface PolicyText {
  readonly text: string | Uint8Array;
  readonly file: string;
  /** Absolute path of the directory that relative paths in the file start from; without it there may be none. */
  readonly directory?: string | undefined;
}

export function readSource({ text, file, directory }: PolicyText): PolicySource {
  const unreadable = (message: string, hint: string | undefined, { line, column }: Position): PolicySource => {
    const origin = { kind: "policy", policy: file, key: "", file, line, column } as const;
    const diagnostics = [{ code: "invalid_policy", message, hint, origin } as const];
    return { file, tree: {}, locations: new Map(), position: () => ({ line: 1, column: 1 }), diagnostics };
  };
  const decoded = decodePolicy(typeof text === "string" ? new TextEncoder().encode(text) : text);
  if (!decoded.ok) return unreadable(decoded.message, decoded.hint, decoded);
  const parsed = parseToml(decoded.text);
  if (!parsed.ok) return unreadable(`not TOML: ${parsed.message}`, undefined, parsed);
  const source = {
    file,
    tree: withProfile(parsed.tree, directory),
    locations: locateKeys(decoded.text),
    position: positionsOf(decoded.text),
    diagnostics: [],
  };
  const diagnostics = readDocument(source.tree).problems.map(({ path, part, message, hint }) =>
    mistake(source, path, part, message, hint),
  );
  return { ...source, diagnostics: inOrder(diagnostics) };
}

/** The tree with the seccomp profile's path made absolute: relative paths are the file's, and mean nothing in a merged policy. */
function withProfile(tree: Readonly<Record<string, unknown>>, directory: string | undefined) {
  const syscalls = tree["syscalls"];
  if (typeof syscalls !== "object" || syscalls === null || Array.isArray(syscalls)) return tree;
  const profile: unknown = (syscalls as Record<string, unknown>)["profile"];
  if (typeof profile !== "string") return tree;
  return { ...tree, syscalls: { ...syscalls, profile: resolveProfile(profile, directory) } };
}
