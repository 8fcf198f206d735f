import { type Diagnostic, type ErrorCode, renderOrigin } from "../run/diagnostic.ts";

/** How words look; what they say is the same everywhere. */
export interface WordStyle {
  readonly colour: boolean;
}

/** Colour only on a terminal, and not where the user asked for none (no-color.org) or the terminal has none. */
export function styleFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): WordStyle {
  const refused = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return { colour: isTerminal && !refused };
}

/**
 * Diagnostics as words for stderr: where, what, and how to fix it, one paragraph each.
 *
 *     rauha: --network: "flase" is not one of none, isolated, filtered, bridged or host
 *       hint: did you mean --network none?
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  style: WordStyle,
  severity: "error" | "warning" = "error",
): string {
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, style, severity)).join("");
}

function renderDiagnostic(diagnostic: Diagnostic, style: WordStyle, severity: "error" | "warning"): string {
  const place = placeOf(diagnostic);
  const prefix = severity === "error" ? paint("rauha:", "31", style) : paint("rauha: warning:", "33", style);
  const hint = diagnostic.hint === undefined ? "" : `  ${paint("hint:", "36", style)} ${oneLine(diagnostic.hint)}\n`;
  return `${prefix} ${oneLine(place)}${oneLine(diagnostic.message)}\n${hint}`;
}

/** Where, unless the message names the flag already. */
function placeOf({ origin, message }: Diagnostic): string {
  if (origin === undefined || (origin.kind === "flag" && message.includes(origin.flag))) return "";
  return `${renderOrigin(origin)}: `;
}

/** Messages may carry text of files and programs: nothing of it may steer the terminal. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (c) =>
    c === "\n" || c === "\t" ? " " : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Text with a terminal's attribute around it (`1` bold, `31` red, `33` yellow, `36` cyan). */
export function paint(text: string, code: string, style: WordStyle): string {
  return style.colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** Rauha's own exit code for mistakes found before a task ran: 2 when the command line must be written differently, else 125. */
export function exitCodeOf(diagnostics: readonly { readonly code: ErrorCode }[]): 2 | 125 {
  return diagnostics.some(({ code }) => code === "usage" || code === "invalid_argument") ? 2 : 125;
}
