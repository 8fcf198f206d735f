import type { Diagnostic } from "../../run/diagnostic.ts";
import { errorOfDiagnostics } from "../../run/report/errors.ts";
import type { Ports } from "../ports.ts";
import { exitCodeOf, renderDiagnostics, styleFor } from "../words.ts";

const stdout = 1;
const stderr = 2;

/** Prints what a command found out, and is its exit code 0. */
export function answer(ports: Ports, text: string): 0 {
  ports.write(stdout, text);
  return 0;
}

/** The same as one JSON object. */
export function answerJson(ports: Ports, value: unknown): 0 {
  return answer(ports, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Refuses: words on stderr, and with --json the same as one object on stdout. `error` is as in a sandbox result, `errors` has
 * every mistake on its own.
 */
export function refuse(ports: Ports, diagnostics: readonly Diagnostic[], json: boolean): 2 | 125 {
  ports.write(stderr, renderDiagnostics(diagnostics, styleFor(ports.isTerminal(stderr), ports.env)));
  if (json) {
    const errors = diagnostics.map((diagnostic) => errorOfDiagnostics([diagnostic], "request"));
    ports.write(stdout, `${JSON.stringify({ error: errorOfDiagnostics(diagnostics, "request"), errors })}\n`);
  }
  return exitCodeOf(diagnostics);
}
