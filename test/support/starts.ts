/**
 * Starts that Rauha remembers (src/run/start), and who began and ended each: the native front, or the runtime.
 *
 * Others may use the machine's shared memory under the same user, whose records would take the place of ours. Root's tests have an ipc
 * namespace of their own; an ordinary user's warm a record again when it is gone.
 */
import { dlopen } from "bun:ffi";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./folders.ts";
import { hasMemoryCgroup, hasProgram, isRoot } from "./identity.ts";
import { type Caller, callerEnvironment, type Ended, parseResult, RAUHA, rauha } from "./rauha.ts";

const CLONE_NEWIPC = 0x08000000;
const libc = dlopen("libc.so.6", { unshare: { args: ["i32"], returns: "i32" } }).symbols;
if (isRoot && libc.unshare(CLONE_NEWIPC) !== 0) throw new Error("no ipc namespace of the tests' own");

/** What telling them apart takes. */
export const canTell = hasProgram("strace");

/** `front`: from begin to end, no JavaScript ran. `adopted`: begun by the front, ended by the runtime. `planned`: by the runtime alone. */
export type Doer = "front" | "adopted" | "planned";

export interface Start extends Ended {
  readonly by: Doer;
}

/** Starts of the planner's and of the front's, for what must be the same for both. */
export interface Pair {
  readonly remembered: Start;
  readonly planned: Ended;
}

/** Runs a command as the planner does it, and again with the record of its flags warm; `by`: who should do it then. */
export async function both(
  by: Doer,
  flags: readonly string[],
  command: readonly string[],
  caller: Caller = {},
): Promise<Pair> {
  const reference = await rauha(words(flags, command), planned(caller));
  const remembered = await doneBy(by, async () => {
    await warm(flags, caller);
    return await watched(words(flags, command), caller);
  });
  return { remembered, planned: reference };
}

/** A few tries: somebody else's record can take the place of ours, and a busy machine make a short task a lasting one. */
export async function doneBy(by: Doer, run: () => Promise<Start>): Promise<Start> {
  for (let left = 5; ; left--) {
    const done = await run();
    if (done.by === by || left === 0) return done;
  }
}

/** Words before a command, to see which processes and threads it makes. */
export function watching(log: string): string[] {
  return ["strace", "-f", "-qq", "-o", log, "-e", "trace=clone,clone3,execve"];
}

/** Who did it, by what strace wrote: the runtime makes threads, and the front starts the launcher before there are any. */
export function doerOf(log: string): Doer {
  const lines = readFileSync(log, "utf8").split("\n");
  const rauha = lines[0]?.split(" ")[0] ?? "";
  const clones = lines.filter((line) => line.startsWith(`${rauha} `) && /\bclone3?\(/.test(line));
  const isBegun = /CLONE_VFORK/.test(clones[0] ?? "");
  if (clones.some((line) => line.includes("CLONE_THREAD"))) return isBegun ? "adopted" : "planned";
  if (!isBegun) throw new Error(`neither a runtime nor a launcher:\n${lines.join("\n")}`);
  return "front";
}

/** How an invocation comes to be. */
export interface Through {
  /** Words in front of the command that execute it. */
  readonly prefix?: readonly string[];
  readonly program?: string;
}

/** Runs rauha to its end, and tells who did it. */
export async function watched(args: readonly string[], caller: Caller = {}, through: Through = {}): Promise<Start> {
  const { prefix = [], program = RAUHA } = through;
  const folder = makeFolder("watched");
  // Whoever it is in the end.
  chmodSync(folder, 0o777);
  const log = join(folder, "log");
  const began = performance.now();
  const child = Bun.spawn([...prefix, ...watching(log), program, ...args], {
    cwd: caller.cwd ?? "/",
    env: { ...callerEnvironment(), ...caller.env },
    stdio: [caller.stdin ?? "ignore", "pipe", "pipe"],
  } as never) as Bun.Subprocess<"ignore", "pipe", "pipe">;
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  const signal = child.signalCode === null ? null : String(child.signalCode);
  return { exitCode: child.exitCode, signal, stdout, stderr, ms: performance.now() - began, by: doerOf(log) };
}

/** A caller whose starts the planner makes, each of them. */
export function planned(caller: Caller = {}): Caller {
  return { ...caller, env: { ...caller.env, RAUHA_START: "planned" } };
}

/** The arguments of `rauha sandbox FLAGS -- COMMAND`. */
export const words = (flags: readonly string[], command: readonly string[]) => ["sandbox", ...flags, "--", ...command];

/** Makes sure that a start with these flags is remembered: the last run of `true` with them was the front's alone. */
export async function warm(flags: readonly string[], caller: Caller = {}, through: Through = {}): Promise<void> {
  const seen: string[] = [];
  for (let tries = 0; tries < 6; tries++) {
    const { by, exitCode, stderr } = await watched(words(flags, ["true"]), caller, through);
    if (by === "front") return;
    seen.push(`${by} ${exitCode} ${stderr}`);
  }
  throw new Error(`${flags.join(" ")} is not remembered: ${seen.join("; ")}`);
}

/**
 * The result without what differs from run to run: names, times, usage and host pids; in the order of its keys. What a number is instead,
 * null for instance, stays: but for peaks that are looked for while the task runs, which a short one escapes.
 */
export function lasting(text: string, hasCgroup = hasMemoryCgroup): string {
  parseResult(text);
  const same = text
    .replace(/\b(task|zone)_[0-9a-f]{20}\b/g, "$1")
    .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"time"')
    .replace(/"(\w+_ms|max_rss_bytes|memory_peak_bytes|pids_peak|io_\w+_bytes|pid)":\d+/g, '"$1":0')
    .replace(/"(memory_peak_bytes|pids_peak)":null/g, hasCgroup ? "$&" : '"$1":0');
  return JSON.stringify(JSON.parse(same), null, 1);
}
