import { readSmallFile } from "../small-file.ts";

/** Nanoseconds of a clock tick, in which the kernel says when a process was started: USER_HZ is 100 on every machine of ours. */
const tickNs = 10_000_000n;

/**
 * Whether the process that made an entry then still lives: another one that has its pid by now was started later, and one that nobody has
 * waited for is dead.
 */
export function isMaker(pid: number, madeNs: bigint): boolean {
  const text = readSmallFile(`/proc/${pid}/stat`, 1024);
  // proc_pid_stat(5). The command's name, in brackets, may hold anything: fields are counted from the last bracket on.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  const [state] = fields;
  const started = fields[19];
  if (started === undefined || state === "Z" || state === "X") return false;
  return BigInt(started) * tickNs <= madeNs;
}
