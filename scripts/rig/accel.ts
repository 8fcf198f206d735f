/** Decides whether the guest's processors are hardware or emulated. */
import { accessSync, constants, readFileSync } from "node:fs";
import { UsageError } from "./rig-error.ts";

export type Accel = "kvm" | "tcg";

/**
 * A usable /dev/kvm is not enough: hosts that are themselves paravirtual guests offer one on which only a patched kernel boots.
 * There the processor shows no virtualisation extension, which is how they are told.
 */
export function chooseAccel(forced = process.env["RAUHA_RIG_ACCEL"]): Accel {
  if (forced === "kvm" || forced === "tcg") return forced;
  if (forced !== undefined && forced !== "")
    throw new UsageError(`RAUHA_RIG_ACCEL is "${forced}", expected kvm or tcg`);
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return hasVirtualisation(readFileSync("/proc/cpuinfo", "utf8")) ? "kvm" : "tcg";
  } catch {
    return "tcg";
  }
}

export function hasVirtualisation(cpuinfo: string): boolean {
  return /^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo);
}
