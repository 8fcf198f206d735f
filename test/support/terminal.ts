/** A person at a terminal: runs a command as the session of a real one, types, reads, resizes (the probe's verb pty-run). */
import { asRecord, parseAnswers, probePath } from "./probe.ts";
import { callerEnvironment } from "./rauha.ts";

export interface Session {
  /** What the screen showed. */
  readonly screen: string;
  /** `exit N`, `signal N` or `never`. */
  readonly end: string;
  /** The terminal's mode at each `mode` step, and at the end: `canonical,echo` is what a shell expects. */
  readonly modes: readonly string[];
  /** The step that failed, if one did. */
  readonly failed: string | undefined;
}

/** Runs `command` in a terminal of 24x80 and goes through the steps; see test/probe/pty_run.c for them. */
export async function atTerminal(
  steps: readonly string[],
  command: readonly string[],
  caller: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Session> {
  const child = Bun.spawn([probePath, "pty-run", ...steps, "--", ...command], {
    cwd: caller.cwd ?? "/",
    env: { ...callerEnvironment(), TERM: "xterm", ...caller.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [line, screen] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const answer = parseAnswers(line).at(-1);
  if (answer === undefined) throw new Error(`the terminal says nothing: ${line}\n${screen}`);
  const items = answer.items;
  return {
    screen,
    end: asRecord(items)["end"] ?? "?",
    modes: items.filter((item) => item.startsWith("mode=")).map((item) => item.slice(5)),
    failed: asRecord(items)["failed"],
  };
}
