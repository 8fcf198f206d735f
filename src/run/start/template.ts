import { endCause } from "../plan/contract.ts";
import { newReport, type Report } from "../report/report.ts";
import { verdictOf } from "../report/verdict.ts";
import { projectResult } from "../result/project.ts";
import { collectedFiles } from "./collected.ts";
import { collectedAs, resultHole } from "./contract.ts";

/** The text of a result without what differs from run to run. */
export interface ResultTemplate {
  readonly text: Uint8Array;
  /** In ascending order. */
  readonly holes: readonly { readonly place: number; readonly hole: number }[];
}

/** What stands in a made-up result where a hole is to be. */
interface Sentinel {
  readonly hole: number;
  /** What comes before the value, by which it is known, and the value. */
  readonly before: string;
  readonly value: string;
  readonly times: number;
}

/** A string that no other is like, and that shows where JSON escapes it: `\u0001` is in no path, name or word of ours. */
const mark = (name: string) => `\u0001${name}\u0001`;

const createdAt = Date.UTC(2001, 1, 3, 4, 5, 6, 7);
const [startedAt, endedAt, cleanedAt, finishedAt] = [11_017, 33_037, 77_081, 99_109].map((ms) => createdAt + ms) as [
  number,
  number,
  number,
  number,
];
/** Each is another number; what the result derives from them is too. */
const ended = {
  cause: endCause.none,
  user_us: 17_001_000,
  system_us: 19_003_000,
  max_rss_bytes: 23_005_001,
  wall_us: 29_007_000,
  stdout_bytes: 7,
  stderr_bytes: 5,
  pids_peak: 31_009,
  memory_peak: 37_011_001,
} as const;
const collectedNumbers = { memoryPeak: 41_013_001, pidsPeak: 43_015, read: 47_017_001, written: 53_019_001 } as const;

/** How an exit code other than 0 is told. */
const failedCode = 77;

/**
 * The template of the results of runs that end as this one did in all but the numbers, with exit code 0 or with another: what `projectResult`
 * makes of a made-up report, cut where its made-up values stand. Undefined where they do not stand as often as they should.
 */
export function resultTemplate(run: Report, entrypoint: number, succeeded: boolean): ResultTemplate | undefined {
  const report = madeUp(run, entrypoint, succeeded ? 0 : failedCode);
  const result = projectResult(report, verdictOf(report));
  const text = `${JSON.stringify(result)}\n`;
  const template = cut(text, sentinels(report, entrypoint, result.events.length, succeeded));
  // Nor may any text of the plan name this very run.
  const { taskId, zoneId, commandHash } = run.plan;
  return [taskId, zoneId, commandHash].some((name) => text.includes(name)) ? undefined : template;
}

/** A report like the run's own, with values that are known by their looks. */
function madeUp(run: Report, entrypoint: number, exitCode: number): Report {
  const plan = {
    ...run.plan,
    taskId: mark("task"),
    zoneId: mark("zone"),
    command: [...run.plan.command.slice(0, entrypoint), mark("command")],
    commandHash: `sha256:${mark("hash")}`,
  };
  const encoder = new TextEncoder();
  const { memoryPeak, pidsPeak, read, written } = collectedNumbers;
  const texts = new Map<number, string>([
    [collectedAs.memoryPeak, `${memoryPeak}\n`],
    [collectedAs.pidsPeak, `${pidsPeak + 1}\n`],
    [collectedAs.ioTotals, `8:0 rbytes=${read} wbytes=${written}\n`],
  ]);
  return {
    ...newReport(plan, createdAt),
    finishedAt,
    started: { record: "started", at: startedAt, pid: 1 },
    ended: { record: "ended", at: endedAt, status: exitCode << 8, ...ended },
    cleaned: { record: "cleaned", at: cleanedAt, errno: 0, detail: "" },
    verified: run.verified,
    skipped: run.skipped,
    // A file that nothing is taken from has nothing in it.
    collected: new Map(collectedFiles(run).map(({ op, as }) => [op, texts.get(as) ?? ""])),
    stdout: [encoder.encode(mark("stdout"))],
    stderr: [encoder.encode(mark("stderr"))],
  };
}

/** Where which hole is to be, and how often. */
function sentinels({ plan, collected }: Report, entrypoint: number, events: number, succeeded: boolean): Sentinel[] {
  const text = (hole: number, before: string, value: string, times: number): Sentinel => {
    const inner = JSON.stringify(value).slice(1, -1);
    return { hole, before: `"${before}`, value: inner, times };
  };
  const number = (hole: number, key: string, value: number, times = 1): Sentinel => ({
    hole,
    before: `"${key}":`,
    value: String(value),
    times,
  });
  const time = (hole: number, at: number, times: number) => text(hole, "", new Date(at).toISOString(), times);
  const files = collectedFiles({ plan, collected } as Report).map(({ as }) => as);
  const { memoryPeak, pidsPeak, read, written } = collectedNumbers;
  const hasMemory = files.includes(collectedAs.memoryPeak);
  const hasPids = files.includes(collectedAs.pidsPeak);
  return [
    text(resultHole.taskId, "", plan.taskId, 1 + 2 * events),
    text(resultHole.zoneId, "", plan.zoneId, 1 + events),
    {
      hole: resultHole.command,
      before: entrypoint === 0 ? "[" : '"',
      value: `${entrypoint === 0 ? "" : ","}${JSON.stringify(mark("command"))}`,
      times: 1,
    },
    text(resultHole.commandHash, "sha256:", mark("hash"), 2),
    ...(succeeded ? [] : [number(resultHole.exitCode, "exit_code", failedCode, 2)]),
    time(resultHole.createdAt, createdAt, 2),
    time(resultHole.startedAt, startedAt, 3),
    time(resultHole.endedAt, endedAt, 1),
    time(resultHole.cleanedAt, cleanedAt, 1),
    time(resultHole.finishedAt, finishedAt, 1),
    number(resultHole.setupMs, "duration_ms", startedAt - createdAt),
    number(resultHole.wallMs, "duration_ms", ended.wall_us / 1000, 2),
    text(resultHole.stdout, "", mark("stdout"), 1),
    number(resultHole.stdoutBytes, "stdout_bytes", ended.stdout_bytes),
    text(resultHole.stderr, "", mark("stderr"), 1),
    number(resultHole.stderrBytes, "stderr_bytes", ended.stderr_bytes),
    number(resultHole.userMs, "user_ms", ended.user_us / 1000),
    number(resultHole.systemMs, "system_ms", ended.system_us / 1000),
    number(resultHole.maxRss, "max_rss_bytes", ended.max_rss_bytes),
    hasMemory
      ? number(resultHole.memoryPeak, "memory_peak_bytes", memoryPeak)
      : number(resultHole.memoryWatched, "memory_peak_bytes", ended.memory_peak),
    hasPids
      ? number(resultHole.pidsPeak, "pids_peak", pidsPeak)
      : number(resultHole.pidsCounted, "pids_peak", ended.pids_peak),
    ...(files.includes(collectedAs.ioTotals)
      ? [number(resultHole.ioRead, "io_read_bytes", read), number(resultHole.ioWritten, "io_write_bytes", written)]
      : []),
  ];
}

function cut(text: string, all: readonly Sentinel[]): ResultTemplate | undefined {
  const found: { readonly at: number; readonly end: number; readonly hole: number }[] = [];
  for (const { hole, before, value, times } of all) {
    let count = 0;
    const needle = before + value;
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length), count++) {
      const end = at + needle.length;
      found.push({ at: at + before.length, end, hole });
      // A value that goes on is another one.
      if (!'",}]'.includes(text.charAt(end))) return undefined;
    }
    if (count !== times) return undefined;
  }
  found.sort((a, b) => a.at - b.at);
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  const holes: { readonly place: number; readonly hole: number }[] = [];
  let [done, place] = [0, 0];
  for (const { at, end, hole } of found) {
    if (at < done) return undefined;
    const piece = encoder.encode(text.slice(done, at));
    pieces.push(piece);
    place += piece.length;
    holes.push({ place, hole });
    done = end;
  }
  pieces.push(encoder.encode(text.slice(done)));
  return { text: joined(pieces), holes };
}

/** Bytes one after the other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
