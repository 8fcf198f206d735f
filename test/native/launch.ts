import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlanOp, ReportRecord } from "../../src/run/plan/contract.ts";
import { ReportDecoder } from "../../src/run/plan/decode-report.ts";
import { encodePlan } from "../../src/run/plan/encode.ts";
import { type Runner, userId } from "./plans.ts";

/** The program under test, where an ordinary user can reach it too. */
export const launcher = reachable(process.env["RAUHA_LAUNCHER"] ?? join(import.meta.dir, "../../dist/launcher"));
export const isRoot = process.getuid?.() === 0;
/** Both kinds of caller when root runs the tests, else the only one there can be. */
export const runners: readonly Runner[] = isRoot ? ["root", "user"] : ["user"];

function reachable(program: string): string {
  const directory = mkdtempSync(join(tmpdir(), "rauha-test-launcher-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  copyFileSync(program, join(directory, "launcher"));
  chmodSync(join(directory, "launcher"), 0o755);
  return join(directory, "launcher");
}

type Named<K extends ReportRecord["record"]> = Extract<ReportRecord, { record: K }>;

/** A launcher's run, from its report. */
export interface Run {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
  readonly records: readonly ReportRecord[];
  /** The only record of this name; throws when there is another number of them. */
  one<K extends ReportRecord["record"]>(name: K): Named<K>;
  all<K extends ReportRecord["record"]>(name: K): Named<K>[];
  /** Captured bytes as text. */
  output(stream: 1 | 2): string;
}

export interface LaunchOptions {
  readonly runner: Runner;
  /** Descriptors of the caller's streams. */
  readonly stdin?: number;
  readonly stdout?: number;
  readonly stderr?: number;
  /** Called with the running launcher for each record. */
  readonly onRecord?: (record: ReportRecord, running: Running) => void;
  /** The plan comes through a pipe, not a file. */
  readonly planByPipe?: boolean;
  readonly onStart?: (running: Running) => void;
}

export interface Running {
  readonly pid: number;
  /** Writes words to the control pipe. */
  say(kind: number, value?: number): void;
  /** Ends the control pipe. */
  leave(): void;
  kill(signal: NodeJS.Signals): void;
}

/** Words before a command that make it run as the ordinary user. */
export function asRunner(runner: Runner): readonly string[] {
  if (runner === "root" || !isRoot) return [];
  return ["setpriv", "--reuid", `${userId}`, "--regid", `${userId}`, "--clear-groups"];
}

/** Runs the launcher with a plan to its end. */
export function launch(ops: readonly PlanOp[], options: LaunchOptions): Promise<Run> {
  return launchBytes(encodePlan(ops), options);
}

export async function launchBytes(bytes: Uint8Array, options: LaunchOptions): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), "rauha-test-plan-"));
  writeFileSync(join(directory, "plan"), bytes);
  const planFd = openSync(join(directory, "plan"), "r");
  // dash can't number descriptors above 9 and needs none
  const byPipe = ["sh", "-c", 'cat <&3 | { exec "$@" 3<&0 0<&7 7<&-; }', "sh"];
  const words = [
    ...asRunner(options.runner),
    ...(options.planByPipe ? ["sh", "-c", `exec 7<&0; exec "$@"`, "sh", ...byPipe] : []),
  ];
  const child = Bun.spawn([...words, launcher], {
    stdio: ["pipe", "pipe", "pipe", planFd, options.stdin ?? null, options.stdout ?? null, options.stderr ?? null],
    env: {},
  });
  closeSync(planFd);
  rmSync(directory, { recursive: true });
  const running: Running = {
    pid: child.pid,
    say: (kind, value = 0) => {
      // A launcher that has ended already hears nothing.
      try {
        child.stdin.write(new Uint8Array([kind, value]));
        child.stdin.flush();
      } catch {}
    },
    leave: () => void child.stdin.end(),
    kill: (signal) => child.kill(signal),
  };
  options.onStart?.(running);
  const decoder = new ReportDecoder();
  const records: ReportRecord[] = [];
  for await (const chunk of child.stdout) {
    for (const record of decoder.push(chunk)) {
      records.push(record);
      options.onRecord?.(record, running);
    }
  }
  const errors = await new Response(child.stderr).text();
  await child.exited;
  return runOf(records, { exitCode: child.exitCode, signal: child.signalCode as NodeJS.Signals | null, errors });
}

function runOf(records: readonly ReportRecord[], process: Pick<Run, "exitCode" | "signal" | "errors">): Run {
  const all = <K extends ReportRecord["record"]>(name: K) => records.filter((r): r is Named<K> => r.record === name);
  return {
    ...process,
    records,
    all,
    one: (name) => {
      const [record, ...others] = all(name);
      if (record === undefined || others.length > 0) {
        throw new Error(`expected one ${name}: ${JSON.stringify(records)} ${process.errors}`);
      }
      return record;
    },
    output: (stream) => {
      const chunks = all("output").filter((record) => record.stream === stream);
      return Buffer.concat(chunks.map(({ data }) => data)).toString();
    },
  };
}
