import { RigError } from "./rig-error.ts";

/** mke2fs and its kind live where an ordinary user's PATH does not look. */
export const PATH_WITH_SBIN = `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/local/sbin:/usr/sbin:/sbin`;

export interface RunOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunOutput {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and says how it went; a program that is not installed is a failure like any other. */
export async function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<RunOutput> {
  try {
    const child = Bun.spawn([...argv], {
      env: { ...process.env, LC_ALL: "C", PATH: PATH_WITH_SBIN, ...options.env },
      stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { ok: code === 0, stdout, stderr };
  } catch (error) {
    return { ok: false, stdout: "", stderr: error instanceof Error ? error.message : String(error) };
  }
}

/** Runs a program that must succeed; its standard output. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const output = await tryRun(argv, options);
  if (!output.ok)
    throw new RigError(`${argv[0]} failed: ${argv.join(" ").slice(0, 200)}`, lastLines(output.stderr, 20));
  return output.stdout;
}

/** The end of a long text: what a program said just before it failed. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
