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
    const { resourceUsage } = Bun.spawnSync([...prefix, ...command], {
      cwd: "/",
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    return {
      what,
      maxRssBytes: resourceUsage.maxRSS,
      cpuMs: Number(resourceUsage.cpuTime.total) / 1000,
      systemCalls: countSystemCalls(command, prefix),
    };
  });
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
