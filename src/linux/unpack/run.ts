import { ImageError } from "../../image/image-error.ts";
import type { Unpack } from "../../image/layers/unpacker.ts";
import { decodeReport, type UnpackReport } from "../../image/unpack/report.ts";
import { ReportDecoder } from "../../run/plan/decode-report.ts";
import type { Plan } from "../../run/plan/plan.ts";
import { errorOf } from "../../run/report/errors.ts";
import { foldEvent, newReport, type Report } from "../../run/report/report.ts";
import { zoneFilter } from "../../run/seccomp/zone-filter.ts";
import { addressOf, closeFd, createPipe, errno, flag, pollFds, readFd, systemCall, waitForChild } from "../ffi.ts";
import { probeFacts } from "../probe/facts.ts";
import { call, failure } from "../system-calls.ts";
import { type LauncherProcess, startLauncher } from "../zone-process.ts";
import { planUnpack, unpackPolicy } from "./zone-plan.ts";

const [F_SETFL, F_SETPIPE_SZ, O_NONBLOCK, POLLOUT] = [4, 1031, 0o4000, 4];
const pipeBytes = 1 << 20;
const turnMs = 1000;

/** Unpacks in a zone of its own, by this same executable: see `Unpack`. */
export function unpackInZone(program = process.execPath): Unpack {
  return async (archive, directory, { limits }) => {
    const facts = probeFacts();
    const policy = unpackPolicy(facts);
    const filter = await zoneFilter(policy, facts, () => ({ problem: "there is no profile to read" }));
    if (!filter.ok) throw new ImageError(filter.diagnostics);
    const id = crypto.randomUUID().replaceAll("-", "");
    const outcome = planUnpack({
      facts,
      policy,
      filter: filter.filter,
      taskId: `task_${id}`,
      zoneId: `zone_${id}`,
      program,
      target: directory,
      arguments: ["unpack-layer", facts.privileged ? "owners" : "squash", JSON.stringify(limits)],
    });
    if (!outcome.ok) throw new ImageError(outcome.diagnostics);
    return reportOf(await runWithInput(outcome.plan, archive));
  };
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
    for (const record of decoder.push(bytes)) foldEvent(report, { at: Date.now(), ...record });
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
  return { ok: false, kind: "failed", entry: undefined, reason };
}
