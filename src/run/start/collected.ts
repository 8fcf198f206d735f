import type { Report } from "../report/report.ts";
import { collectedAs } from "./contract.ts";

/** What the result takes from a control file of the zone's cgroups. */
export interface CollectedFile {
  /** Index of the `cgroup_collect`. */
  readonly op: number;
  /** One of `collectedAs`. */
  readonly as: number;
}

/** In the order in which the result prefers them (src/run/report/usage.ts). */
const meanings: readonly (readonly [file: string, as: number])[] = [
  ["memory.peak", collectedAs.memoryPeak],
  ["memory.max_usage_in_bytes", collectedAs.memoryPeak],
  ["pids.peak", collectedAs.pidsPeak],
  ["memory.events", collectedAs.oomKills],
  ["memory.oom_control", collectedAs.oomKills],
  ["io.stat", collectedAs.ioTotals],
];

/** What becomes of each control file that this run's kernel had: of two that say the same, the result takes one. */
export function collectedFiles({ plan, collected }: Report): CollectedFile[] {
  const used = new Map<number, number>();
  const found = [...collected.keys()];
  for (const [file, as] of meanings) {
    const op = found.find((index) => {
      const planned = plan.ops[index]?.op;
      return planned?.op === "cgroup_collect" && planned.file === file;
    });
    if (op !== undefined && ![...used.values()].includes(as)) used.set(op, as);
  }
  return found.map((op) => ({ op, as: used.get(op) ?? collectedAs.ignored }));
}
