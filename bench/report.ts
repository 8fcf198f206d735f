/** Puts the numbers into tables. */
import { cpus, release } from "node:os";
import type { Ratio } from "./budgets.ts";
import type { Footprint } from "./hot-path.ts";
import type { Measured } from "./hyperfine.ts";
import type { WorkMeasured } from "./work.ts";

/** What was measured as one user. */
export interface Report {
  readonly user: string;
  readonly starts: readonly Measured[];
  readonly work: readonly WorkMeasured[];
  readonly footprints: readonly Footprint[];
  readonly ratios: readonly Ratio[];
}

export function renderReport(report: Report): string {
  const { user, starts, work, footprints, ratios } = report;
  const base = starts[0]?.median ?? Number.NaN;
  return [
    `\nas ${user}`,
    table(
      ["start of a task that does nothing", "median", "p10", "p90", "min", "× empty"],
      starts
        .filter(({ failure }) => failure === undefined)
        .map(({ name, median, p10, p90, min }) => [
          name,
          ms(median),
          ms(p10),
          ms(p90),
          ms(min),
          (median / base).toFixed(2),
        ]),
    ),
    ...starts.flatMap(({ name, failure }) => (failure === undefined ? [] : [`not measured: ${name}: ${failure}`])),
    "",
    table(
      [
        "work: processor time",
        "bare",
        "least lock",
        "in a zone",
        "taken off: idle zone",
        "least / bare",
        "zone / bare",
      ],
      work.map(({ name, bareMs, leastMs, zoneMs, idleMs }) => [
        name,
        ms(bareMs),
        ms(leastMs),
        ms(zoneMs),
        ms(idleMs),
        (leastMs / bareMs).toFixed(3),
        (zoneMs / bareMs).toFixed(3),
      ]),
    ),
    table(
      ["hot path", "max RSS", "CPU", "system calls"],
      footprints.map(({ what, maxRssBytes, cpuMs, systemCalls }) => [
        what,
        `${(maxRssBytes / 1048576).toFixed(1)} MiB`,
        ms(cpuMs),
        String(systemCalls ?? "-"),
      ]),
    ),
    renderRatios(ratios),
  ].join("\n");
}

export function renderRatios(ratios: readonly Ratio[]): string {
  return table(
    ["ratio", "of medians", "of minima", "budget", ""],
    ratios.map(({ what, ratio, ofMinima, budget }) => [
      what,
      ratio.toFixed(3),
      ofMinima.toFixed(3),
      `≤ ${budget}`,
      ratio <= budget ? "ok" : "OVER",
    ]),
  );
}

/** The machine, in words that name no one. */
export function describeMachine(): string {
  return `${cpus().length} CPUs (${cpus()[0]?.model.trim() ?? "unknown"}), Linux ${release()}, bun ${Bun.version}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return `${all.map(line).join("\n")}\n`;
}

function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 2 : 0)} ms`;
}
