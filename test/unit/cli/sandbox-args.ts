import { parseSandboxArgs, type SandboxInvocation } from "../../../src/cli/flags/sandbox.ts";
import type { Diagnostic } from "../../../src/run/diagnostic.ts";

/** The caller's directory in these tests. */
export const cwd = "/home/me/project";

/** The invocation of a command line that must be right. `true` is run when the line names no command. */
export function accepted(...argv: string[]): SandboxInvocation {
  const parsed = parseSandboxArgs(argv.includes("--") ? argv : [...argv, "--", "true"], { cwd });
  if (!parsed.ok) throw new Error(`refused: ${JSON.stringify(parsed.diagnostics, null, 1)}`);
  return parsed.invocation;
}

/** The diagnostics of a command line that must be wrong. */
export function refused(...argv: string[]): readonly Diagnostic[] {
  const parsed = parseSandboxArgs(argv.includes("--") ? argv : [...argv, "--", "true"], { cwd });
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.invocation, null, 1)}`);
  return parsed.diagnostics;
}

/** The one diagnostic of a command line with exactly one mistake. */
export function mistake(...argv: string[]): Diagnostic {
  const diagnostics = refused(...argv);
  const [first] = diagnostics;
  if (first === undefined || diagnostics.length !== 1)
    throw new Error(`not one mistake: ${JSON.stringify(diagnostics, null, 1)}`);
  return first;
}
