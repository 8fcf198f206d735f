import { parse, TomlError } from "smol-toml";

/** A TOML document as plain data, or its first syntax error. */
export type TomlOutcome =
  | { readonly ok: true; readonly tree: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly message: string; readonly line: number; readonly column: number };

/** Deeper nesting than any policy has; the bound keeps hostile text off the stack. */
const maxDepth = 16;

/** TOML 1.0 as plain data, of bounded depth; or where it is none, by line and column. */
export function parseToml(text: string): TomlOutcome {
  try {
    return { ok: true, tree: parse(text, { maxDepth, unsafeKeyBehaviour: "throw" }) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The message goes on with an excerpt of the text, which is the command line's to show.
    const message = (error.message.split("\n", 1)[0] ?? "").replace(/^Invalid TOML document: /, "");
    return { ok: false, message, line: error.line, column: error.column };
  }
}
