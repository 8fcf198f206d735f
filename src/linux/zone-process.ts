import { passedOn, type RunMoments, type SignalSource } from "../run/backend.ts";
import type { BackendEvent } from "../run/backend-event.ts";
import { control, stages } from "../run/plan/contract.ts";
import { ReportDecoder } from "../run/plan/decode-report.ts";
import { encodePlan, PlanEncodeError } from "../run/plan/encode.ts";
import type { Plan } from "../run/plan/plan.ts";
import { errnoWords } from "../run/report/errno.ts";
import type { ZoneNetwork } from "../run/zone-network.ts";
import {
  closeFd,
  createMemfd,
  createPipe,
  duplicateFd,
  errno,
  flag,
  pollFds,
  readFd,
  spawnProcess,
  waitForChild,
  writeAll,
} from "./ffi.ts";
import { openImage } from "./launcher-image.ts";
import type { LauncherProcess } from "./launcher-process.ts";
import type { Gateway } from "./network/gateway.ts";
import { consulting } from "./start/consulting.ts";
import { begunStart } from "./start/front.ts";

/** A task that runs for longer than this lasts. */
const lastingMs = 100;
/** How long a wait for the report may keep the event loop, and with it signal handlers, from running. */
const turnMs = 100;
const lowestFd = 64;
const E2BIG = 7;
/** Bytes read from the report at once. */
const reportChunk = 1 << 18;

/** Starts the launcher with the plan and hands on what it reports, until it has cleaned up and ended. */
export async function runLauncher(
  plan: Plan,
  emit: (event: BackendEvent) => void,
  signals: SignalSource,
  network?: ZoneNetwork,
  moments?: RunMoments,
): Promise<void> {
  consulting.noted?.close();
  const gateway = plan.egress === undefined ? undefined : await openGateway(plan, emit);
  if (plan.egress !== undefined && gateway === undefined) return;
  const begun = begunStart();
  let child: LauncherProcess | string;
  try {
    child =
      begun === undefined
        ? startLauncher(plan, gateway?.channel)
        : (await import("./start/adopt.ts")).adoptLauncher(begun, plan);
  } catch (error) {
    gateway?.finish();
    if (!(error instanceof PlanEncodeError)) throw error;
    const { op, message: detail } = error;
    const at = Date.now();
    emit({ at, record: "failed", stage: stages.indexOf("decode"), op, errno: E2BIG, step: "encode the plan", detail });
    emit({ at, record: "cleaned", errno: 0, detail: "" });
    return;
  }
  if (typeof child === "string") {
    gateway?.finish();
    emit({ at: Date.now(), record: "lost", detail: child });
    return;
  }
  if (moments?.meanwhile !== undefined) await moments.meanwhile();
  const decoder = new ReportDecoder();
  const buffer = new Uint8Array(reportChunk);
  let cancels = 0;
  let done = false;
  let spoke = false;
  /** Before there is a task, the zone would take any signal for the end of the run. */
  let running = false;
  let forTask: number[] = [];
  const obey = () => {
    for (const number of signals.take()) {
      if (passedOn.includes(number)) {
        forTask.push(number);
        continue;
      }
      emit({ at: Date.now(), record: "cancelled", signal: number });
      const kind = cancels++ === 0 ? control.cancel : control.kill;
      writeAll(child.control, new Uint8Array([kind, number]));
    }
    if (!running) return;
    for (const number of forTask) writeAll(child.control, new Uint8Array([control.signal, number]));
    forTask = [];
  };
  let started: { readonly pid: number; readonly at: number } | undefined;
  const say = (word: number) => writeAll(child.control, new Uint8Array([word, 0]));
  const hear = async (piece: Uint8Array, at: number) => {
    for (const record of decoder.push(piece)) {
      const heard = record.record === "ids" ? (await import("./ids/write-maps.ts")).hearIds(record, say, plan) : record;
      emit({ at, ...(network?.hear(heard, say, plan) ?? heard) });
      if (record.record === "started" && moments?.lasting !== undefined) started = { pid: record.pid, at };
      running ||= record.record === "started";
      done ||= record.record === "cleaned";
      spoke ||= record.record === "output";
    }
  };
  if (begun !== undefined) for (const { piece, at } of begun.heard) await hear(piece, at);
  for (;;) {
    const report = { fd: child.report, events: flag.POLLIN };
    const [ready] = pollFds(gateway === undefined ? [report] : [report, ...gateway.waits()], turnMs);
    gateway?.turn();
    if (started !== undefined && Date.now() - started.at >= lastingMs) {
      await moments?.lasting?.(started.pid);
      started = undefined;
    }
    if (ready === 0) {
      // Signal handlers of the JavaScript runtime run in a turn of its loop, and poll(2) returned early for their sake.
      await new Promise((resolve) => setImmediate(resolve));
      obey();
      continue;
    }
    const n = readFd(child.report, buffer);
    if (n === -errno.EINTR) continue;
    if (n <= 0) break;
    await hear(buffer.slice(0, n), Date.now());
    // That nobody reads the task's output shows when it is passed on: a task that talks all the time leaves no pause.
    if (spoke) obey();
  }
  gateway?.finish();
  closeFd(child.report);
  closeFd(child.control);
  const status = waitForChild(child.pid);
  network?.close();
  if (!done) emit({ at: Date.now(), record: "lost", detail: `the launcher ended with wait status ${status}` });
}

/** The gateway's side of a zone that has one; its code is loaded for it alone. */
async function openGateway(plan: Plan, emit: (event: BackendEvent) => void): Promise<Gateway | undefined> {
  return (await import("./network/gateway.ts")).openGateway(plan, emit);
}

/** The launcher as a child process, or what went wrong; throws `PlanEncodeError` for a plan that is too much for it. */
export function startLauncher(
  plan: Plan,
  channel: Gateway["channel"] | undefined,
  stdin = 0,
): LauncherProcess | string {
  const image = openImage();
  if (typeof image === "string") return image;
  const opened: number[] = [image.fd];
  const give = (fd: number): number => {
    const high = fd < 0 ? fd : duplicateFd(fd, lowestFd);
    if (high >= 0) opened.push(high);
    return high;
  };
  const report = createPipe();
  const commands = channel ?? createPipe();
  const planFd = createMemfd("rauha-plan", flag.MFD_CLOEXEC);
  try {
    if (typeof report === "number" || typeof commands === "number" || planFd < 0) return "no descriptors left";
    const bytes = encodePlan(
      plan.ops.map(({ op }) => op),
      plan.pieces,
    );
    if (writeAll(planFd, bytes) < 0) return "the plan can't be written";
    // In the order of `launcherFd`: control, report, errors, plan, and the caller's three streams.
    const table = [commands.readEnd, report.writeEnd, 2, planFd, stdin, 1, 2].map(give);
    if (table.some((fd) => fd < 0)) return "one of stdin, stdout and stderr is closed";
    const pid = spawnProcess(image.path, ["rauha-zone"], table);
    if (pid < 0) return `the launcher can't be started: ${errnoWords(-pid)}`;
    return { pid, report: report.readEnd, control: commands.writeEnd };
  } finally {
    for (const fd of opened) closeFd(fd);
    if (typeof report !== "number") closeFd(report.writeEnd);
    if (typeof commands !== "number") closeFd(commands.readEnd);
    if (planFd >= 0) closeFd(planFd);
  }
}
