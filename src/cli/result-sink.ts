import type { HostIo } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import { errnoName, errnoWords } from "../run/report/errno.ts";
import type { Result } from "../run/result/schema.ts";
import type { ResultTargets } from "./flags/sandbox.ts";
import { renderDiagnostics, styleFor } from "./words.ts";

/** Where the words and the result of one invocation go. */
export interface ResultSink {
  /** Why a place of the result can't be written, known before anything ran. */
  readonly problems: readonly Diagnostic[];
  /** A piece of the task's own output; passed on at once for people, kept for the result otherwise. False when nobody reads it any more. */
  output(stream: number, data: Uint8Array): boolean;
  complain(problems: readonly Diagnostic[]): void;
  warn(warnings: readonly Diagnostic[]): void;
  /** Writes the result to all of its places; one that can't be written is said on stderr, and the answer is false. */
  result(result: Result): boolean;
  /** The last line for people; with JSON on stdout it is said only if nothing ran, since an error belongs on stderr besides. */
  summary(line: () => string, nothingRan: boolean): void;
}

const EPIPE = 32;

/**
 * JSON goes to stdout when asked, or when stdout is no terminal and the task's own output does not go there
 * (`streams`: --stream or -t); besides that to --result and --result-fd, and nowhere twice.
 */
export function resultSink(io: HostIo, targets: ResultTargets, streams: boolean): ResultSink {
  const json = targets.json ?? (!streams && !io.isTerminal(1));
  const words = (text: string) => {
    if (text !== "") io.write(2, new TextEncoder().encode(text));
  };
  const { resultFile, resultFd } = targets;
  const descriptor = resultFd === undefined || (json && resultFd === 1) ? undefined : io.openOutput(resultFd);
  const file = resultFile === undefined ? undefined : io.openOutput(resultFile);
  const style = () => styleFor(io.isTerminal(2), process.env);
  return {
    problems: [
      ...(typeof descriptor === "number" ? [outputProblem("--result-fd", String(resultFd), descriptor)] : []),
      ...(typeof file === "number" ? [outputProblem("--result", resultFile ?? "", file)] : []),
    ],
    output: (stream, data) => json || io.write(stream, data) !== EPIPE,
    complain: (problems) => words(renderDiagnostics(problems, style())),
    warn: (warnings) => words(warnings.length === 0 ? "" : renderDiagnostics(warnings, style(), "warning")),
    result: (result) => {
      if (!json && file === undefined && descriptor === undefined) return true;
      const bytes = new TextEncoder().encode(`${JSON.stringify(result)}\n`);
      let written = !json || check(io.write(1, bytes), "stdout");
      if (typeof descriptor === "object")
        written = check(descriptor.write(bytes), `--result-fd ${resultFd}`) && written;
      if (typeof file === "object") {
        written = check(file.write(bytes), `--result ${resultFile}`) && written;
        file.close();
      }
      return written;
    },
    summary: (line, nothingRan) => {
      if (!json || nothingRan) words(line());
    },
  };

  function check(errno: number, target: string): boolean {
    if (errno !== 0) words(`rauha: ${target}: the result can't be written: ${errnoWords(errno)}\n`);
    return errno === 0;
  }
}

/** A file of the caller's that can't take what it should; said before anything runs. */
export function outputProblem(flag: string, path: string, errno: number): Diagnostic {
  const link = errnoName(errno) === "ELOOP";
  const why = link ? "is a symbolic link, which is not followed" : errnoWords(errno);
  const hint = link ? "name the file itself" : undefined;
  return { code: errorCode(errno), message: `${path}: ${why}`, hint, origin: { kind: "flag", flag } };
}

function errorCode(errno: number): Diagnostic["code"] {
  const name = errnoName(errno);
  if (name === "ENOENT") return "not_found";
  return name === "EACCES" || name === "EPERM" ? "permission" : "invalid_argument";
}
