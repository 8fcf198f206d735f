import { addressOf, systemCall } from "./ffi.ts";
import { call } from "./system-calls.ts";

const CLOCK_BOOTTIME = 7;

/** Nanoseconds since boot, CLOCK_BOOTTIME: what the kernel says of processes and the BPF programs of denials is in it. */
export function bootNs(): bigint {
  const time = new BigInt64Array(2);
  systemCall(call.clock_gettime, CLOCK_BOOTTIME, addressOf(time));
  return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
}
