import { gunzipSync } from "node:zlib";
import loaderText from "../../../build/bpf-loader.b64.txt" with { type: "text" };
import type { LsmOutcome } from "../../run/lsm.ts";
import { errnoName } from "../../run/report/errno.ts";
import { closeFd, createMemfd, errno, flag, sealMemfd, writeAll } from "../ffi.ts";

/**
 * Runs the BPF loader, which is embedded in this executable as the launcher is, from a sealed memfd: nothing is extracted. Its words are
 * native/bpf/loader/loader.h's.
 */
export function runLoader(...words: readonly string[]): LsmOutcome {
  const fd = openLoader();
  if (fd < 0) return lost(`no memfd for the loader: ${errnoName(-fd)}`);
  try {
    const child = Bun.spawnSync([`/proc/${process.pid}/fd/${fd}`, ...words], { stdin: "ignore", env: {} });
    const line = child.stdout.toString().trim();
    if (line === "") return lost(`the loader ended with ${child.signalCode ?? child.exitCode}: ${child.stderr}`);
    return outcomeOf(line);
  } catch (error) {
    return lost(`the loader can't be started: ${error instanceof Error ? error.message : error}`);
  } finally {
    closeFd(fd);
  }
}

function openLoader(): number {
  const flags = flag.MFD_CLOEXEC | flag.MFD_ALLOW_SEALING;
  // MFD_EXEC says what is meant where vm.memfd_noexec is 1; kernels before 6.3 don't know it.
  let fd = createMemfd("rauha-bpf-loader", flags | flag.MFD_EXEC);
  if (fd === -errno.EINVAL) fd = createMemfd("rauha-bpf-loader", flags);
  if (fd < 0) return fd;
  const failure = Math.min(0, writeAll(fd, gunzipSync(Buffer.from(loaderText, "base64")))) || sealMemfd(fd);
  if (failure >= 0) return fd;
  closeFd(fd);
  return failure;
}

interface LoaderLine {
  readonly step: string;
  readonly ok: boolean;
  readonly programs?: number;
  readonly change?: "loaded" | "upgraded" | "none";
  readonly failed?: string;
  readonly errno?: number;
  readonly log?: string;
}

function outcomeOf(text: string): LsmOutcome {
  const line = JSON.parse(text) as LoaderLine;
  if (!line.ok) {
    const { failed = "", errno: number = 0, log = "" } = line;
    return { ok: false, failed, errno: errnoName(number), log };
  }
  const change = line.change ?? (line.step === "remove" ? "removed" : "tried");
  return { ok: true, change, programs: line.programs ?? 0 };
}

function lost(failed: string): LsmOutcome {
  return { ok: false, failed, errno: "", log: "" };
}
