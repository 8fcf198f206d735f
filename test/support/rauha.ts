/** Runs the built executable as its users do, and reads the result strictly: a result that breaks its own schema fails every test. */
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { type Result, resultSchema } from "../../src/run/result/schema.ts";
import { type Answer, type Attempt, attemptWords, PROBE, parseAnswers, probeBind } from "./probe.ts";

export const RAUHA = process.env["RAUHA_BIN"] ?? new URL("../../dist/rauha", import.meta.url).pathname;
if (!existsSync(RAUHA)) throw new Error(`${RAUHA} is missing: make build`);

/** A caller's side of one invocation. */
export interface Caller {
  readonly cwd?: string;
  /** Added to a minimal environment; nothing of the test runner's own gets in. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: "ignore" | "pipe" | Blob | Uint8Array | number;
  /** Descriptors of the caller's from 3 on. */
  readonly fds?: readonly number[];
  /** After this the test fails; the invocation is killed. */
  readonly patienceMs?: number;
}

/** What a caller sees of one invocation. */
export interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

const PATIENCE_MS = 55_000;

/** The environment of a caller: little, and the folders that Rauha may use. */
export function callerEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "XDG_RUNTIME_DIR", "TMPDIR", "USER", "LOGNAME"];
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/** Starts rauha with these arguments; the process is the caller's to end. */
export function start(args: readonly string[], caller: Caller = {}): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  const { cwd = "/", env = {}, stdin = "ignore", fds = [] } = caller;
  return Bun.spawn([RAUHA, ...args], {
    cwd,
    env: { ...callerEnvironment(), ...env },
    stdio: [stdin, "pipe", "pipe", ...fds],
  } as never) as Bun.Subprocess<"ignore", "pipe", "pipe">;
}

/** Runs rauha to its end. */
export async function rauha(args: readonly string[], caller: Caller = {}): Promise<Ended> {
  const began = performance.now();
  const child = start(args, caller);
  const impatience = setTimeout(() => child.kill("SIGKILL"), caller.patienceMs ?? PATIENCE_MS);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  clearTimeout(impatience);
  return { exitCode: child.exitCode, signal: signalNameOf(child), stdout, stderr, ms: performance.now() - began };
}

function signalNameOf(child: Bun.Subprocess): string | null {
  return child.signalCode === null ? null : String(child.signalCode);
}

/** An invocation of `rauha sandbox` with its result. */
export interface Run extends Ended {
  readonly result: Result;
}

/** `rauha sandbox FLAGS -- COMMAND` with the result on stdout. */
export async function sandbox(flags: readonly string[], command: readonly string[], caller: Caller = {}): Promise<Run> {
  const ended = await rauha(["sandbox", ...flags, "--", ...command], caller);
  return { ...ended, result: parseResult(ended.stdout, ended.stderr) };
}

/** Reads a result and holds it against the schema that the product publishes. */
export function parseResult(text: string, words = ""): Result {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error(`no JSON result: ${text.slice(0, 500)}\nstderr: ${words.slice(0, 2000)}`);
  }
  return resultSchema.parse(data);
}

/** What was tried in a zone and what came of it. */
export interface Tried extends Run {
  readonly answers: readonly Answer[];
}

/** Runs the probe in a zone. An answer that is missing because the zone was not set up is shown with the reason. */
export async function tryInZone(
  attempts: readonly Attempt[],
  flags: readonly string[] = [],
  caller: Caller = {},
): Promise<Tried> {
  const run = await sandbox([...probeBind, ...flags], [PROBE, ...attemptWords(attempts)], caller);
  if (run.result.error !== null) throw new Error(`${run.result.error.message} (${run.result.error.hint})`);
  expect(run.result.stderr).toBe("");
  return { ...run, answers: parseAnswers(run.result.stdout ?? "") };
}

/** The outcomes alone, by attempt: what most tests compare. */
export function outcomes(tried: { readonly answers: readonly Answer[] }): Record<string, string> {
  return Object.fromEntries(tried.answers.map(({ attempt, outcome }) => [attempt, outcome]));
}

/** The state and mechanism of one promise. */
export function guarantee(result: Result, name: string): { state: string; mechanism: string | null } {
  const found = result.guarantees.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`the result says nothing about ${name}`);
  return { state: found.state, mechanism: found.mechanism };
}
