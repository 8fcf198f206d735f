import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlanOp, ReportRecord } from "../../src/run/plan/contract.ts";
import { ReportDecoder } from "../../src/run/plan/decode-report.ts";
import { encodePlan } from "../../src/run/plan/encode.ts";
import { type Runner, userId } from "./plans.ts";

/** The program under test. */
export const launcher = process.env["RAUHA_LAUNCHER"] ?? join(import.meta.dir, "../../dist/launcher");
export const isRoot = process.getuid?.() === 0;
/** Both kinds of caller when root runs the tests, else the only one there can be. */
export const runners: readonly Runner[] = isRoot ? ["root", "user"] : ["user"];

type Named<K extends ReportRecord["record"]> = Extract<ReportRecord, { record: K }>;

/** A launcher's run, from its report. */
export interface Run {
  readonly exitCode: number | null;
  readonly signal: string | null;
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

/** Runs the launcher with a plan to its end. */
export function launch(ops: readonly PlanOp[], options: LaunchOptions): Promise<Run> {
  return launchBytes(encodePlan(ops), options);
}

export async function launchBytes(bytes: Uint8Array, options: LaunchOptions): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), "rauha-test-plan-"));
  writeFileSync(join(directory, "plan"), bytes);
  const planFd = openSync(join(directory, "plan"), "r");
  const asUser = ["setpriv", "--reuid", `${userId}`, "--regid", `${userId}`, "--clear-groups"];
  const child = Bun.spawn([...(options.runner === "user" && isRoot ? asUser : []), launcher], {
    stdio: ["pipe", "pipe", "pipe", planFd, options.stdin ?? null, options.stdout ?? null, options.stderr ?? null],
    env: {},
  });
  closeSync(planFd);
  rmSync(directory, { recursive: true });
  const running: Running = {
    pid: child.pid,
    say: (kind, value = 0) => {
      child.stdin.write(new Uint8Array([kind, value]));
      child.stdin.flush();
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
  return runOf(records, { exitCode: child.exitCode, signal: child.signalCode, errors });
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
