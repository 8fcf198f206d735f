/** Runs hyperfine and reads what it measured. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A command under a name. */
export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
}

/** What came of one command, in milliseconds; `failure` when it does not run here. */
export interface Measured {
  readonly name: string;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly min: number;
  readonly failure?: string;
}

export interface Series {
  readonly warmup: number;
  /** Runs of each command in one round. */
  readonly runs: number;
  /** All commands take their turn in each round, so that a machine that gets slower does so for all of them. */
  readonly rounds: number;
  /** What stands before hyperfine, so that another user runs it. */
  readonly prefix: readonly string[];
}

interface HyperfineResult {
  /** Seconds, of each run. */
  readonly times: readonly number[];
}

/** Measures all of them. A command that fails by itself is left out, with its reason. */
export function measure(contenders: readonly Contender[], series: Series): Measured[] {
  const tried = contenders.map((contender) => ({ contender, failure: tryOnce(contender, series.prefix) }));
  const good = tried.filter(({ failure }) => failure === undefined).map(({ contender }) => contender);
  const times = new Map<string, number[]>(good.map(({ name }) => [name, []]));
  for (let round = 0; round < series.rounds && good.length > 0; round++) {
    hyperfine(good, series).forEach((result, index) => {
      times.get(good[index]?.name ?? "")?.push(...result.times.map((seconds) => seconds * 1000));
    });
  }
  return tried.map(({ contender: { name }, failure }): Measured => {
    const sorted = (times.get(name) ?? []).sort((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
    const measured = { name, median: at(0.5), p10: at(0.1), p90: at(0.9), min: at(0) };
    return failure === undefined ? measured : { ...measured, failure };
  });
}

function hyperfine(contenders: readonly Contender[], { warmup, runs, prefix }: Series): readonly HyperfineResult[] {
  const folder = mkdtempSync(join(tmpdir(), "rauha-bench-"));
  const file = join(folder, "times.json");
  const names = contenders.flatMap(({ name, command }) => ["-n", name, command.map(quote).join(" ")]);
  const words = ["hyperfine", "-N", "--style", "none", "--warmup", String(warmup), "--runs", String(runs)];
  try {
    Bun.spawnSync(["chmod", "1777", folder]);
    const { exitCode, stderr } = Bun.spawnSync([...prefix, ...words, "--export-json", file, ...names], {
      cwd: "/",
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    if (exitCode !== 0) throw new Error(`hyperfine failed: ${stderr.toString().trim()}`);
    return (JSON.parse(readFileSync(file, "utf8")) as { results: HyperfineResult[] }).results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Why the command does not work here; undefined when it does. */
function tryOnce({ command }: Contender, prefix: readonly string[]): string | undefined {
  if (Bun.which(command[0] ?? "") === null) return "not installed";
  const { exitCode, stderr } = Bun.spawnSync([...prefix, ...command], {
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: 20_000,
  });
  if (exitCode === 0) return undefined;
  return stderr.toString().trim().split("\n")[0]?.slice(0, 120) || `exit code ${exitCode}`;
}

/** As hyperfine splits words without a shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
