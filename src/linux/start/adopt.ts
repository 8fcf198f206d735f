import { encodePlan } from "../../run/plan/encode.ts";
import type { Plan } from "../../run/plan/plan.ts";
import { addressOf, closeFd, systemCall, waitForChild } from "../ffi.ts";
import type { LauncherProcess } from "../launcher-process.ts";
import { call } from "../system-calls.ts";
import type { BegunStart } from "./front.ts";

const SIG_UNBLOCK = 1;

/**
 * The launcher that the front has started, if the planner has come to the same plan; else it is told to end, and waited for. Signals
 * that came in meanwhile arrive now.
 */
export function adoptLauncher(start: BegunStart, plan: Plan): LauncherProcess | string {
  const { pid, report, control, held, plan: begun } = start;
  systemCall(call.rt_sigprocmask, SIG_UNBLOCK, addressOf(Uint32Array.of(held, 0)), 0, 8);
  const planned = encodePlan(
    plan.ops.map(({ op }) => op),
    plan.pieces,
  );
  if (isEqual(planned, begun)) return { pid, report, control };
  // The end of its orders is the end of the zone.
  closeFd(control);
  closeFd(report);
  waitForChild(pid);
  return "the zone was begun as an earlier one was, and something on this host has changed since: run it again";
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
