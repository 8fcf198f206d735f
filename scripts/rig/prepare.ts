/** Puts a guest together: kernel, initramfs, disks. Says what it makes, since the first time takes a while. */
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Accel, chooseAccel } from "./accel.ts";
import { ensureBaseImage } from "./base-image.ts";
import { cacheRoot, prune } from "./cache.ts";
import { ensureCheckoutImage } from "./checkout-image.ts";
import { type GuestReport, runGuest } from "./guest.ts";
import { ensureInitramfs } from "./initramfs.ts";
import { ensureKernel } from "./kernel.ts";
import { tryRun } from "./process.ts";
import type { Machine } from "./qemu.ts";
import { RigError } from "./rig-error.ts";

export const CHECKOUT = resolve(import.meta.dir, "../..");
const MEMORY_MIB = 3072;
/** A loaded machine may take ten times as long as an idle one. */
const READY_TIMEOUT_MS = 120_000;
const KEPT_RUNS = 10;

export interface Rig {
  readonly machine: Omit<Machine, "ports" | "terminal">;
  /** Where this run's logs are. */
  readonly folder: string;
}

export interface JobRequest {
  readonly job: string;
  readonly terminal: boolean;
  readonly timeoutMs: number;
  readonly onOutput: (stream: "out" | "err", data: Uint8Array) => void;
}

export type Say = (text: string) => void;

export async function prepareRig(say: Say): Promise<Rig> {
  if (process.arch !== "x64" || process.platform !== "linux") throw new RigError("the rig runs on x86-64 Linux only");
  await requireTools();
  const started = performance.now();
  const kernel = await ensureKernel(say);
  const initramfs = await ensureInitramfs(kernel);
  const base = await ensureBaseImage(kernel);
  const checkout = await ensureCheckoutImage(CHECKOUT);
  const accel = chooseAccel();
  if (!existsSync(join(CHECKOUT, "dist/rauha"))) say("dist/rauha is not built, so the guest has none; run: make build");
  const made = [base.made ? "root disk" : "", checkout.made ? "checkout disk" : ""].filter((name) => name !== "");
  say(
    `linux ${kernel.release} on ${accel}; ${made.length === 0 ? "cached disks" : `made ${made.join(", ")}`} in ${seconds(performance.now() - started)}`,
  );
  const folder = runFolder();
  return {
    folder,
    machine: {
      accel,
      kernel: kernel.image,
      initramfs,
      disks: [base.path, checkout.path],
      consoleLog: join(folder, "console.log"),
      memoryMiB: MEMORY_MIB,
    },
  };
}

/** Boots the guest for one job. Where KVM turns out not to boot it, once more on an emulated processor. */
export async function runJob(rig: Rig, request: JobRequest, say: Say): Promise<GuestReport> {
  const boot = (accel: Accel): Promise<GuestReport> =>
    runGuest({
      machine: { ...rig.machine, accel, terminal: request.terminal },
      job: request.job,
      onOutput: request.onOutput,
      readyTimeoutMs: accel === "kvm" ? READY_TIMEOUT_MS / 4 : READY_TIMEOUT_MS,
      jobTimeoutMs: request.timeoutMs,
    });
  const report = await boot(rig.machine.accel);
  if (report.end.kind !== "boot-failed" || rig.machine.accel === "tcg") return report;
  say(`KVM does not boot the guest (${report.end.reason}); trying an emulated processor`);
  return await boot("tcg");
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

async function requireTools(): Promise<void> {
  const tools = {
    "qemu-system-x86_64": "qemu-system-x86",
    busybox: "busybox-static",
    mke2fs: "e2fsprogs",
    "dpkg-deb": "dpkg",
    setpriv: "util-linux",
  };
  const missing: string[] = [];
  for (const [tool, name] of Object.entries(tools)) {
    if (!(await tryRun(["sh", "-c", `command -v ${tool}`])).ok) missing.push(name);
  }
  if (missing.length > 0) throw new RigError(`missing: ${missing.join(" ")}; run: scripts/bootstrap.sh kernel`);
}

function runFolder(): string {
  const runs = join(cacheRoot(), "runs");
  const folder = join(runs, `${new Date().toISOString().replaceAll(":", "").slice(0, 17)}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  prune(runs, KEPT_RUNS, folder);
  return folder;
}
