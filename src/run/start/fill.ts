import { planHeaderBytes, planMagic, planOps } from "../plan/contract.ts";
import { contractHash } from "../plan/contract-hash.gen.ts";
import type { Report } from "../report/report.ts";
import { decodeStream } from "../result/streams.ts";
import { collectedFiles } from "./collected.ts";
import { collectedAs, resultHole } from "./contract.ts";
import type { CutPlan } from "./cut-plan.ts";
import { joined, type ResultTemplate } from "./template.ts";

/**
 * What the native front does with a record, once more: a record is kept only if it gives back the very run that it was made of.
 */

const encoder = new TextEncoder();

/** The plan of a zone with these names and this command, which follows the entrypoint. */
export function fillPlan(
  cut: CutPlan,
  zoneId: string,
  firstId: number | undefined,
  command: readonly string[],
): Uint8Array {
  const argv = [...cut.entrypoint, ...command].map((word) => encoder.encode(word));
  const exec = 8 + 4 + argv.reduce((total, word) => total + word.length + 5, 0) + cut.environment.length;
  const size = planHeaderBytes + cut.before.length + exec;
  const plan = new Uint8Array(size);
  const view = new DataView(plan.buffer);
  view.setUint32(0, planMagic, true);
  view.setBigUint64(4, contractHash, true);
  view.setUint32(12, cut.ops, true);
  view.setUint32(16, size, true);
  plan.set(cut.before, planHeaderBytes);
  for (const place of cut.zoneIds) plan.set(encoder.encode(zoneId), planHeaderBytes + place);
  for (const place of cut.firstIds) view.setUint32(planHeaderBytes + place, firstId ?? 0, true);
  let at = planHeaderBytes + cut.before.length;
  const u32 = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  u32(planOps.exec.id);
  u32(exec - 8);
  u32(argv.length);
  for (const word of argv) {
    u32(word.length);
    plan.set(word, at);
    at += word.length + 1;
  }
  plan.set(cut.environment, at);
  return plan;
}

/** The text of a result with a hole's value in each hole. */
export function fillTemplate({ text, holes }: ResultTemplate, values: ReadonlyMap<number, string>): Uint8Array {
  const pieces: Uint8Array[] = [];
  let done = 0;
  for (const { place, hole } of holes) {
    pieces.push(text.subarray(done, place), encoder.encode(values.get(hole) ?? ""));
    done = place;
  }
  return joined([...pieces, text.subarray(done)]);
}

/** The values of all holes, of a run that ended plainly; `command` follows `entrypoint` arguments. */
export function holeValues(report: Report, entrypoint: number): ReadonlyMap<number, string> {
  const { plan, started, ended, cleaned } = report;
  if (started === null || ended === null || cleaned === null) return new Map();
  const time = (at: number) => new Date(at).toISOString();
  const ms = (us: number) => String(Math.round(us / 1000));
  const text = (pieces: readonly Uint8Array[]) => JSON.stringify(decodeStream(pieces, false).text).slice(1, -1);
  const words = plan.command.slice(entrypoint).map((word) => JSON.stringify(word));
  const values = new Map<number, string>([
    [resultHole.taskId, plan.taskId],
    [resultHole.zoneId, plan.zoneId],
    [resultHole.command, `${entrypoint > 0 && words.length > 0 ? "," : ""}${words.join(",")}`],
    [resultHole.commandHash, plan.commandHash.slice("sha256:".length)],
    [resultHole.exitCode, String((ended.status >> 8) & 0xff)],
    [resultHole.createdAt, time(report.createdAt)],
    [resultHole.startedAt, time(started.at)],
    [resultHole.endedAt, time(ended.at)],
    [resultHole.cleanedAt, time(cleaned.at)],
    [resultHole.finishedAt, time(report.finishedAt)],
    [resultHole.setupMs, String(started.at - report.createdAt)],
    [resultHole.wallMs, ms(ended.wall_us)],
    [resultHole.stdout, text(report.stdout)],
    [resultHole.stdoutBytes, String(ended.stdout_bytes)],
    [resultHole.stderr, text(report.stderr)],
    [resultHole.stderrBytes, String(ended.stderr_bytes)],
    [resultHole.userMs, ms(ended.user_us)],
    [resultHole.systemMs, ms(ended.system_us)],
    [resultHole.maxRss, measured(ended.max_rss_bytes)],
    // What one process held at most is a peak of the zone as well.
    [
      resultHole.memoryWatched,
      ended.memory_peak === 0 ? "null" : String(Math.max(ended.memory_peak, ended.max_rss_bytes)),
    ],
    [resultHole.pidsCounted, measured(ended.pids_peak)],
  ]);
  for (const { op, as } of collectedFiles(report)) collect(values, as, report.collected.get(op) ?? "");
  return values;
}

/** 0 stands for what was not measured. */
function measured(value: number): string {
  return value === 0 ? "null" : String(value);
}

function collect(values: Map<number, string>, as: number, content: string): void {
  if (as === collectedAs.memoryPeak) values.set(resultHole.memoryPeak, content.trim());
  if (as === collectedAs.pidsPeak) values.set(resultHole.pidsPeak, String(Math.max(0, Number(content) - 1)));
  if (as !== collectedAs.ioTotals) return;
  const sum = (key: string) =>
    content
      .split(/[ \n]/)
      .filter((word) => word.startsWith(key))
      .reduce((total, word) => total + Number(word.slice(key.length)), 0);
  values.set(resultHole.ioRead, String(sum("rbytes=")));
  values.set(resultHole.ioWritten, String(sum("wbytes=")));
}
