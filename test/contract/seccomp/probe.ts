/** Runs the probe under a filter on this machine's kernel. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type ProbeMode = "none" | "plain" | "listen" | "orphan";

export interface ProbeReport {
  /** What became of each attempt: `ok`, `errno N`, `signal N`. */
  readonly results: ReadonlyMap<string, string>;
  /** Numbers of the calls that the listener was asked about. */
  readonly asked: ReadonlySet<number>;
}

export interface Probe {
  run(mode: ProbeMode, filter?: Uint8Array): ProbeReport;
  close(): void;
}

/** Compiles the probe. */
export function openProbe(): Probe {
  const directory = mkdtempSync(join(tmpdir(), "rauha-seccomp-probe-"));
  const program = join(directory, "probe");
  const source = join(import.meta.dir, "probe.c");
  const made = Bun.spawnSync(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, source], { stdin: null });
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  const run: Probe["run"] = (mode, filter) => {
    const work = mkdtempSync(join(directory, "run-"));
    const file = join(work, "filter");
    if (filter) writeFileSync(file, filter);
    const done = Bun.spawnSync([program, mode, ...(filter ? [file] : [])], { cwd: work, stdin: null, timeout: 20_000 });
    if (done.exitCode !== 0) throw new Error(`probe ${mode}: ${done.exitCode} ${done.stderr.toString()}`);
    return report(done.stdout.toString());
  };
  return { run, close: () => rmSync(directory, { recursive: true, force: true }) };
}

function report(text: string): ProbeReport {
  const lines = text.trimEnd().split("\n");
  const asked = lines.filter((line) => line.startsWith("asked ")).map((line) => Number(line.slice(6)));
  const results = lines.filter((line) => line.includes(": ")).map((line) => line.split(": ") as [string, string]);
  return { results: new Map(results), asked: new Set(asked) };
}
