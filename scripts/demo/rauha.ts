/** Runs dist/rauha as a script would: flags in, one JSON result out. */

/** The parts of a result that the demonstration looks at. */
export interface Result {
  readonly status: string;
  readonly cause: string;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly duration_ms: number;
  readonly stdout: string;
  readonly stdout_bytes: number;
  readonly stdout_truncated: boolean;
  readonly stderr: string;
  readonly usage: { readonly pids_peak: number | null; readonly memory_peak_bytes: number | null } & Record<
    string,
    unknown
  >;
  readonly guarantees: readonly { readonly name: string; readonly state: string; readonly mechanism: string | null }[];
  readonly events: readonly unknown[];
  readonly enforcement_events: readonly { readonly hook: string; readonly action: string; readonly decision: string }[];
  readonly changes: readonly { readonly path: string; readonly kind: string }[];
  readonly error: { readonly message: string; readonly hint?: string } | null;
}

export interface Call {
  readonly flags: readonly string[];
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A file descriptor that the caller has open when it starts rauha. */
  readonly openFile?: number;
}

/** Starts the sandbox and reads its result. A result that is no JSON, or an error of rauha's own, ends the demonstration. */
export async function sandbox(call: Call): Promise<Result> {
  const words = ["dist/rauha", "sandbox", ...call.flags, "--json", "--", ...call.command];
  const child = Bun.spawn(words, {
    env: { ...process.env, ...call.env },
    stdio: ["ignore", "pipe", "inherit", ...(call.openFile === undefined ? [] : [call.openFile])],
  });
  const text = await new Response(child.stdout as ReadableStream).text();
  const exitCode = await child.exited;
  try {
    const result = JSON.parse(text) as Result;
    if (result.error) throw new Error(`${result.error.message}\n${result.error.hint ?? ""}`);
    return result;
  } catch (error) {
    const why = error instanceof SyntaxError ? `no JSON on stdout: ${text.slice(0, 400)}` : String(error);
    throw new Error(`${words.join(" ")}\nended with ${exitCode}: ${why}`);
  }
}

/** A result for people: the output's last lines, and long lists by their length. */
export function renderResult(result: Result, lines = 12): string {
  const tail = (text: string): string[] => text.trimEnd().split("\n").slice(-lines);
  const shown = {
    ...result,
    stdout: tail(result.stdout),
    stderr: tail(result.stderr),
    events: `${result.events.length} events`,
    enforcement_events: `${result.enforcement_events.length} events`,
    guarantees: result.guarantees.map(
      ({ name, state, mechanism }) => `${name}: ${state}${mechanism ? ` (${mechanism})` : ""}`,
    ),
  };
  return JSON.stringify(shown, null, 2);
}
