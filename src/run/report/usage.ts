import { ownProcesses } from "../plan/sections/cgroup.ts";
import type { Result } from "../result/schema.ts";
import type { Report } from "./report.ts";

/** What the zone used, from rusage and the cgroup's own files. Not measured is null. */
export function usageOf(report: Report): Result["usage"] {
  const { ended } = report;
  const io = ioTotals(collectedFile(report, "io.stat"));
  return {
    user_ms: ended === null ? null : Math.round(ended.user_us / 1000),
    system_ms: ended === null ? null : Math.round(ended.system_us / 1000),
    max_rss_bytes: measured(ended?.max_rss_bytes),
    memory_peak_bytes:
      numberIn(collectedFile(report, "memory.peak")) ??
      numberIn(collectedFile(report, "memory.max_usage_in_bytes")) ??
      watchedPeak(ended),
    pids_peak: taskProcesses(report) ?? measured(ended?.pids_peak),
    io_read_bytes: io?.read ?? null,
    io_write_bytes: io?.write ?? null,
  };
}

/** How many processes of the zone the kernel's OOM killer took: cgroup v2 memory.events, v1 memory.oom_control. */
export function oomKills(report: Report): number {
  const text = collectedFile(report, "memory.events") ?? collectedFile(report, "memory.oom_control") ?? "";
  const key = "oom_kill ";
  const line = text.split("\n").find((candidate) => candidate.startsWith(key));
  return line === undefined ? 0 : Number(line.slice(key.length));
}

function collectedFile(report: Report, file: string): string | undefined {
  for (const [index, text] of report.collected) {
    const op = report.plan.ops[index]?.op;
    if (op?.op === "cgroup_collect" && op.file === file) return text;
  }
  return undefined;
}

/** The cgroup counts the zone's init too, `--pids` and the launcher don't. */
function taskProcesses(report: Report): number | null {
  const all = numberIn(collectedFile(report, "pids.peak"));
  return all === null ? null : Math.max(0, all - ownProcesses);
}

/** The watcher looks every so often and can miss a short peak; what one process held at most is a peak of the zone as well. */
function watchedPeak(ended: Report["ended"]): number | null {
  return ended === null || ended.memory_peak === 0 ? null : Math.max(ended.memory_peak, ended.max_rss_bytes);
}

/** The launcher says 0 for what it did not measure. */
function measured(value: number | undefined): number | null {
  return value === undefined || value === 0 ? null : value;
}

/** A control file's number; null for a word such as `max`. Here and below without regular expressions, which take longer to compile. */
function numberIn(text: string | undefined): number | null {
  const digits = (text ?? "").trim();
  const number = digits === "" ? Number.NaN : Number(digits);
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

function ioTotals(text: string | undefined): { read: number; write: number } | null {
  if (text === undefined) return null;
  let [read, write] = [0, 0];
  for (const word of text.replaceAll("\n", " ").split(" ")) {
    if (word.startsWith("rbytes=")) read += Number(word.slice("rbytes=".length));
    if (word.startsWith("wbytes=")) write += Number(word.slice("wbytes=".length));
  }
  return { read, write };
}
