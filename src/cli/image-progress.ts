import type { Diagnostic } from "../run/diagnostic.ts";
import type { PullEvent, PullReport } from "../run/image.ts";
import { errorOfDiagnostics } from "../run/report/errors.ts";
import { openPullBars } from "./image-bars.ts";
import { countWords, retryWords, sizeWords } from "./image-words.ts";
import type { Ports } from "./ports.ts";
import { exitCodeOf, renderDiagnostics, styleFor } from "./words.ts";

const stdout = 1;
const stderr = 2;

/** How a pull is told: as JSON lines, as bars on a terminal, or as a few lines for a log. */
export function pullReport(ports: Ports, json: boolean): PullReport {
  if (json) return { tell: (event) => ports.write(stdout, `${JSON.stringify(event)}\n`), end: () => {} };
  if (ports.isTerminal(stderr) && ports.env["TERM"] !== "dumb") return openPullBars(ports);
  return { tell: (event) => tellPlainly(ports, event), end: () => {} };
}

/** For logs: no bytes, no layer by layer. */
function tellPlainly(ports: Ports, event: PullEvent): void {
  if (event.event === "resolved") {
    ports.write(
      stderr,
      `rauha: pulling ${event.reference} (${countWords(event.layers, "layer")}, ${sizeWords(event.size)})\n`,
    );
  } else if (event.event === "retry") {
    ports.write(stderr, `rauha: ${retryWords(event)}\n`);
  }
}

/** The end of a pull that failed: words on stderr, and with --json a last line. Gives the exit code. */
export function failPull(ports: Ports, diagnostics: readonly Diagnostic[], json: boolean): 2 | 125 {
  ports.write(stderr, renderDiagnostics(diagnostics, styleFor(ports.isTerminal(stderr), ports.env)));
  if (json) {
    const errors = diagnostics.map((diagnostic) => errorOfDiagnostics([diagnostic], "image"));
    const error = errorOfDiagnostics(diagnostics, "image");
    ports.write(stdout, `${JSON.stringify({ event: "failed", error, errors })}\n`);
  }
  return exitCodeOf(diagnostics);
}
