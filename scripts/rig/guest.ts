/**
 * One life of the guest: boot, one job, power off. The guest says "ready" and at last "exit N" on its control port; how far it came
 * tells a boot failure from a guest that died at work, and both from a job that failed.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lineReader, openPort } from "./ports.ts";
import { PATH_WITH_SBIN } from "./process.ts";
import { type Machine, qemuArguments } from "./qemu.ts";

export interface GuestRequest {
  readonly machine: Omit<Machine, "ports">;
  /** A bash script that the guest's pid 1 runs. */
  readonly job: string;
  readonly onOutput: (stream: "out" | "err", data: Uint8Array) => void;
  readonly readyTimeoutMs: number;
  /** From "ready" on; 0 waits for ever. */
  readonly jobTimeoutMs: number;
}

export type GuestEnd =
  | { readonly kind: "finished"; readonly code: number }
  | { readonly kind: "boot-failed"; readonly reason: string; readonly console: string }
  | { readonly kind: "died"; readonly reason: string; readonly console: string }
  | { readonly kind: "timed-out"; readonly console: string }
  | { readonly kind: "interrupted"; readonly console: string };

export interface GuestReport {
  readonly end: GuestEnd;
  /** A tar of what the job left in /run/rig/results; empty when the guest did not come so far. */
  readonly results: Uint8Array;
  /** From QEMU's start to "ready"; null when that was never said. */
  readonly bootMs: number | null;
}

const CONSOLE_LINES = 30;
/** After "exit N" the guest has only to power off. */
const POWER_OFF_MS = 10_000;
/** With these the rig ends the guest and tells how far it came. A SIGKILL takes the guest along by itself. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How far the guest came. */
interface Progress {
  bootMs: number | null;
  code: number | null;
  /** Why the rig ended the guest, if it did. */
  ended: "slow boot" | "slow job" | "interrupted" | null;
}

export async function runGuest(request: GuestRequest): Promise<GuestReport> {
  const folder = mkdtempSync(join(tmpdir(), "rauha-rig-"));
  const started = performance.now();
  const progress: Progress = { bootMs: null, code: null, ended: null };
  const results: Uint8Array[] = [];
  let timer: Timer | undefined;
  const end = (why: Progress["ended"]): void => {
    progress.ended ??= why;
    qemu.kill("SIGKILL");
  };
  const limit = (ms: number, why: Progress["ended"]): void => {
    clearTimeout(timer);
    if (ms > 0) timer = setTimeout(() => end(why), ms);
  };
  const onControl = (line: string): void => {
    const [word, value] = line.split(" ");
    if (word === "ready") {
      progress.bootMs = performance.now() - started;
      const job = new TextEncoder().encode(request.job);
      ports.control.send(new TextEncoder().encode(`job ${job.length}\n`));
      ports.control.send(job);
      limit(request.jobTimeoutMs, "slow job");
    } else if (word === "exit") {
      progress.code = Number(value);
      limit(POWER_OFF_MS, null);
    }
  };
  const ports = {
    control: openPort(folder, "control", lineReader(onControl)),
    out: openPort(folder, "out", (data) => request.onOutput("out", data)),
    err: openPort(folder, "err", (data) => request.onOutput("err", data)),
    results: openPort(folder, "results", (data) => results.push(data)),
  };
  const paths = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, port.path]));
  const qemu = startQemu({ ...request.machine, ports: paths });
  const onSignal = (): void => end("interrupted");
  for (const signal of SIGNALS) process.on(signal, onSignal);
  limit(request.readyTimeoutMs, "slow boot");
  try {
    const [said] = await Promise.all([new Response(qemu.stderr).text(), qemu.exited]);
    // What QEMU sent before it ended may still be on its way through the sockets.
    await Bun.sleep(50);
    const log = readConsole(request.machine.consoleLog);
    return { end: judge(progress, log, said), results: Buffer.concat(results), bootMs: progress.bootMs };
  } finally {
    clearTimeout(timer);
    for (const signal of SIGNALS) process.off(signal, onSignal);
    for (const port of Object.values(ports)) port.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** QEMU dies with the rig, however that ends: no guest is left running. */
function startQemu(machine: Machine) {
  return Bun.spawn(["setpriv", "--pdeathsig", "KILL", "--", ...qemuArguments(machine)], {
    env: { ...process.env, PATH: PATH_WITH_SBIN },
    stdin: machine.terminal ? "inherit" : "ignore",
    stdout: machine.terminal ? "inherit" : "ignore",
    stderr: "pipe",
  });
}

/** Names the end of a guest from how far it came, its console, and what QEMU itself said. */
export function judge(progress: Readonly<Progress>, consoleLog: string, qemuSaid: string): GuestEnd {
  if (progress.code !== null) return { kind: "finished", code: progress.code };
  const console = endOfConsole(`${consoleLog}\n${qemuSaid}`);
  if (progress.ended === "interrupted") return { kind: "interrupted", console };
  if (progress.ended === "slow job") return { kind: "timed-out", console };
  const panic = /Kernel panic - not syncing: (.*)/.exec(consoleLog)?.[1];
  const reason = panic === undefined ? "the guest ended by itself" : `kernel panic: ${panic}`;
  if (progress.bootMs !== null) return { kind: "died", reason, console };
  return {
    kind: "boot-failed",
    reason: progress.ended === null ? reason : "the guest never said that it is ready",
    console,
  };
}

/** The last lines; of a crash its beginning, since the trace that follows says less than what led there. */
export function endOfConsole(text: string): string {
  const lines = text.trim().split("\n");
  const crash = lines.findIndex((line) => /BUG: |Oops: |Kernel panic - not syncing/.test(line));
  if (crash < 0) return lines.slice(-CONSOLE_LINES).join("\n");
  return lines.slice(Math.max(0, crash - CONSOLE_LINES / 2), crash + CONSOLE_LINES / 2).join("\n");
}

function readConsole(path: string): string {
  try {
    return readFileSync(path, "utf8").replaceAll("\r", "");
  } catch {
    return "";
  }
}
