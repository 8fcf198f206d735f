/** What one `rauha sandbox -- true` costs besides time: memory, processor time, system calls. */
import type { Stage } from "./stage.ts";

export interface Footprint {
  readonly what: string;
  readonly maxRssBytes: number;
  readonly cpuMs: number;
  readonly systemCalls: number | null;
}

/** The footprint of the hot path and of an empty program, as the user behind `prefix`. */
export function footprints(stage: Stage, prefix: readonly string[]): Footprint[] {
  return [
    { what: "empty compiled program", command: [stage.empty] },
    { what: "rauha sandbox -- true", command: [stage.rauha, "sandbox", "--", "true"] },
  ].map(({ what, command }) => {
    const rounds = Array.from({ length: 15 }, () => usageOf(stage, command, prefix)).sort((x, y) => x.cpuMs - y.cpuMs);
    const { maxRssBytes, cpuMs } = rounds[7] ?? { maxRssBytes: Number.NaN, cpuMs: Number.NaN };
    return { what, maxRssBytes, cpuMs, systemCalls: countSystemCalls(command, prefix) };
  });
}

/** What a command and its processes use. By a small program of its own: what a process inherits of its parent's memory before it executes counts as its own otherwise. */
export function usageOf(
  stage: Stage,
  command: readonly string[],
  prefix: readonly string[],
): { exitCode: number; maxRssBytes: number; cpuMs: number } {
  const { stdout } = Bun.spawnSync([...prefix, stage.probe, "usage", ...command], {
    cwd: "/",
    stdin: "ignore",
    stderr: "ignore",
  });
  const value = (key: string): number =>
    Number(new RegExp(`\\b${key}=(\\d+)`).exec(stdout.toString())?.[1] ?? Number.NaN);
  return { exitCode: value("exit"), maxRssBytes: value("max_rss_kib") * 1024, cpuMs: value("cpu_us") / 1000 };
}

/** The sum over all processes, by strace's own count; null where it can't trace. */
function countSystemCalls(command: readonly string[], prefix: readonly string[]): number | null {
  if (Bun.which("strace") === null) return null;
  const { stderr, exitCode } = Bun.spawnSync([...prefix, "strace", "-f", "-c", "-qq", ...command], {
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const total = /^\s*100\.00\s+\S+\s+(?:\d+\s+)?(\d+)\s+(?:\d+\s+)?total$/m.exec(stderr.toString());
  return exitCode === 0 && total?.[1] !== undefined ? Number(total[1]) : null;
}
