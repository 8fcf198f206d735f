import { ImageError } from "../../image/image-error.ts";
import type { Join, Unpack } from "../../image/layers/unpacker.ts";
import { decodeReport, type UnpackReport } from "../../image/unpack/report.ts";
import type { Diagnostic } from "../../run/diagnostic.ts";
import { idMapOps } from "../../run/ids/map-ops.ts";
import type { ZoneIds } from "../../run/ids/zone-ids.ts";
import { ReportDecoder } from "../../run/plan/decode-report.ts";
import type { Plan } from "../../run/plan/plan.ts";
import { errorOf } from "../../run/report/errors.ts";
import { foldEvent, newReport, type Report } from "../../run/report/report.ts";
import { zoneFilter } from "../../run/seccomp/zone-filter.ts";
import {
  addressOf,
  closeFd,
  createPipe,
  errno,
  flag,
  pollFds,
  readFd,
  systemCall,
  waitForChild,
  writeAll,
} from "../ffi.ts";
import { idHelpers } from "../ids/own-ids.ts";
import { hearIds } from "../ids/write-maps.ts";
import type { LauncherProcess } from "../launcher-process.ts";
import { probeFacts } from "../probe/facts.ts";
import { call, failure } from "../system-calls.ts";
import type { ZoneWork } from "../unpack-layer.ts";
import { startLauncher } from "../zone-process.ts";
import { planUnpack, unpackPolicy } from "./zone-plan.ts";

const [F_SETFL, F_SETPIPE_SZ, O_NONBLOCK, POLLOUT] = [4, 1031, 0o4000, 4];
const pipeBytes = 1 << 20;
const turnMs = 1000;

/** What a zone is started for, and what it is given. */
interface Work {
  readonly work: ZoneWork;
  readonly directory: string;
  readonly lowers?: readonly string[];
  readonly ids?: Pick<ZoneIds, "uid" | "gid"> | undefined;
  readonly input?: AsyncIterable<Uint8Array>;
  readonly program?: string;
}

/** Unpacks in a zone of its own, by this same executable: see `Unpack`. */
export function unpackInZone(program = process.execPath): Unpack {
  return (archive, directory, { limits, ids }) => {
    const work = { do: "unpack", limits, owners: ids !== undefined || probeFacts().privileged, ids } as const;
    return workInZone({ work, directory, ids, input: archive, program });
  };
}

/** Joins directories in a zone of its own: see `Join`. */
export const joinInZone: Join = (layers, directory, ids) => {
  const implied = new TextEncoder().encode(JSON.stringify(layers.map(({ summary }) => summary.implied)));
  const lowers = layers.map(({ tree }) => tree);
  return workInZone({ work: { do: "join" }, directory, lowers, ids, input: once(implied) });
};

/** Work on a directory of the caller's in which files belong to subordinate ids; what stood in its way. */
export async function mendInZone(
  work: Extract<ZoneWork, { do: "empty" | "own" }>,
  directory: string,
  ids: Pick<ZoneIds, "uid" | "gid">,
): Promise<readonly Diagnostic[]> {
  try {
    const report = await workInZone({ work, directory, ids });
    return report.ok ? [] : [{ code: "setup_failed", message: report.reason, hint: report.hint }];
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return error.diagnostics;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function workInZone({ work, directory, lowers, ids, input = nothing(), program }: Work): Promise<UnpackReport> {
  const facts = probeFacts();
  const policy = unpackPolicy(facts.privileged || ids !== undefined);
  const filter = await zoneFilter(policy, facts, () => ({ problem: "there is no profile to read" }));
  if (!filter.ok) throw new ImageError(filter.diagnostics);
  const id = crypto.randomUUID().replaceAll("-", "");
  const outcome = planUnpack({
    facts,
    policy,
    filter: filter.filter,
    taskId: `task_${id}`,
    zoneId: `zone_${id}`,
    program: program ?? process.execPath,
    target: directory,
    lowers,
    ids: ids && idMapOps({ ...ids, ...findHelpers() }),
    arguments: ["unpack-layer", JSON.stringify(work)],
  });
  if (!outcome.ok) throw new ImageError(outcome.diagnostics);
  return reportOf(await runWithInput(outcome.plan, input));
}

function findHelpers(): Pick<ZoneIds, "newuidmap" | "newgidmap"> {
  const found = idHelpers(process.env);
  if (!found.ok) throw new ImageError(found.diagnostics);
  return found.helpers;
}

async function runWithInput(plan: Plan, input: AsyncIterable<Uint8Array>): Promise<Report> {
  const report = newReport(plan, Date.now());
  const pipe = createPipe();
  if (typeof pipe === "number") throw new ImageError([{ code: "setup_failed", message: "no descriptors left" }]);
  const child = startLauncher(plan, undefined, pipe.readEnd);
  closeFd(pipe.readEnd);
  if (typeof child === "string") {
    closeFd(pipe.writeEnd);
    throw new ImageError([{ code: "setup_failed", message: `the zone to unpack in can't be made: ${child}` }]);
  }
  const decoder = new ReportDecoder();
  const take = (bytes: Uint8Array) => {
    for (const record of decoder.push(bytes)) {
      const say = (word: number) => writeAll(child.control, new Uint8Array([word, 0]));
      const heard = record.record === "ids" ? hearIds(record, say, plan) : record;
      foldEvent(report, { at: Date.now(), ...heard });
    }
  };
  try {
    await feed(child, pipe.writeEnd, input, take);
  } finally {
    closeFd(pipe.writeEnd);
    drain(child, take);
  }
  if (report.cleaned === null) {
    foldEvent(report, { at: Date.now(), record: "lost", detail: "the launcher ended without its last word" });
  }
  return report;
}

/** Takes what is still to come: the zone has all that it gets, and ends within its time. */
function drain(child: LauncherProcess, take: (bytes: Uint8Array) => void): void {
  const buffer = new Uint8Array(65536);
  for (;;) {
    const length = readFd(child.report, buffer);
    if (length === -errno.EINTR) continue;
    if (length <= 0) break;
    take(buffer.slice(0, length));
  }
  closeFd(child.report);
  closeFd(child.control);
  waitForChild(child.pid);
}

/**
 * Writes the input as fast as the zone reads it, and takes what it reports meanwhile: neither side can wait for the other for ever. A
 * zone that reads no more has ended, and says why.
 */
async function feed(
  child: LauncherProcess,
  to: number,
  input: AsyncIterable<Uint8Array>,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  systemCall(call.fcntl, to, F_SETFL, O_NONBLOCK);
  // Fewer, longer turns; where the user's pipes are used up, the default will do.
  systemCall(call.fcntl, to, F_SETPIPE_SZ, pipeBytes);
  const buffer = new Uint8Array(65536);
  for await (const chunk of input) {
    for (let done = 0; done < chunk.length; ) {
      const rest = chunk.subarray(done);
      const count = systemCall(call.write, to, addressOf(rest), rest.length);
      if (count >= 0) {
        done += count;
        continue;
      }
      if (count === -errno.EINTR) continue;
      if (count !== -failure.EAGAIN) return;
      const [, said] = pollFds(
        [
          { fd: to, events: POLLOUT },
          { fd: child.report, events: flag.POLLIN },
        ],
        turnMs,
      );
      if (said === 0 || said === undefined) continue;
      const length = readFd(child.report, buffer);
      if (length === 0) return;
      if (length > 0) take(buffer.slice(0, length));
    }
  }
}

/** What the program in the zone said, or why it did not come to say anything. */
function reportOf(report: Report): UnpackReport {
  const said = decodeReport(Buffer.concat(report.stdout).toString("utf8"));
  if (said !== undefined) return said;
  const error = errorOf(report);
  const status = report.ended === null ? "" : ` (wait status ${report.ended.status}, cause ${report.ended.cause})`;
  const words = Buffer.concat(report.stderr).toString("utf8").slice(0, 500).trim();
  const reason =
    error?.message ?? `the unpacking program ended without a word${status}${words === "" ? "" : `: ${words}`}`;
  return { ok: false, kind: "failed", entry: undefined, reason, hint: error?.hint ?? undefined };
}
