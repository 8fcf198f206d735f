/** What the rig can do: run the suites, run a command, give a shell. Each returns the rig's exit code. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { GuestReport } from "./guest.ts";
import { type FileReport, mergeReports } from "./junit.ts";
import type { RigOptions } from "./options.ts";
import { CHECKOUT, prepareRig, type Rig, runJob, type Say, seconds } from "./prepare.ts";
import { run } from "./process.ts";
import { EXIT, RigError, UsageError } from "./rig-error.ts";
import { filesFor, findTestFiles, quote, resultNames, type SuiteSelection, suiteJob } from "./suites.ts";

/** Below the 40 minutes that scripts/test.ts waits, so that it is the rig that says what did not end. */
const TEST_TIMEOUT_MS = 38 * 60_000;

const toOwnStreams = (stream: "out" | "err", data: Uint8Array): void => {
  (stream === "out" ? process.stdout : process.stderr).write(data);
};

/** A guest that did not boot, or died, is the rig's failure and no test's. */
function throwUnlessFinished(report: GuestReport, rig: Rig): number {
  const { end } = report;
  const log = `\n(the whole console: ${rig.machine.consoleLog})`;
  if (end.kind === "boot-failed") throw new RigError(`boot failure: ${end.reason}`, end.console + log);
  if (end.kind === "died") throw new RigError(`the guest died at work: ${end.reason}`, end.console + log);
  if (end.kind === "interrupted") throw new RigError("interrupted");
  if (end.kind === "timed-out") throw new RigError("the guest did not finish in time", end.console + log);
  return end.code;
}

export async function testCommand(options: RigOptions, say: Say): Promise<number> {
  const files = await findTestFiles(CHECKOUT, options.filters);
  if (files.length === 0) throw new UsageError("no test file of the kernel suites matches");
  const { identities, namePattern, brief } = options;
  const selection: SuiteSelection = { files, identities, namePattern, brief };
  const rig = await prepareRig(say);
  const started = performance.now();
  const timeoutMs = options.timeoutMs ?? TEST_TIMEOUT_MS;
  const report = await runJob(
    rig,
    { job: suiteJob(selection), terminal: false, timeoutMs, onOutput: toOwnStreams },
    say,
  );
  const results = await unpackResults(rig, report.results);
  if (report.bootMs !== null)
    say(`booted in ${seconds(report.bootMs)}, ended after ${seconds(performance.now() - started)}`);
  const reports = await readReports(results, selection);
  const merged = mergeReports(reports, report.end.kind === "finished" ? "no report" : `no report: ${report.end.kind}`);
  if (options.junit !== null) {
    mkdirSync(dirname(options.junit), { recursive: true });
    writeFileSync(options.junit, merged.xml);
  }
  warnOfKernel(await readText(join(results, "dmesg.txt")), say);
  const { tests, failures, skipped } = merged.counts;
  throwUnlessFinished(report, rig);
  process.stdout.write(`rig: ${tests - failures - skipped} passed, ${failures} failed, ${skipped} skipped\n`);
  return failures === 0 && tests > skipped ? EXIT.ok : EXIT.testsFailed;
}

export async function runCommand(options: RigOptions, say: Say): Promise<number> {
  if (options.command.length === 0) throw new UsageError("run needs a command: bun scripts/rig.ts run -- uname -r");
  const identity = options.identities[0] ?? "root";
  const job = `cd /opt/rauha; ${["as-rig", identity, ...options.command].map(quote).join(" ")}\n`;
  const rig = await prepareRig(say);
  const report = await runJob(
    rig,
    { job, terminal: false, timeoutMs: options.timeoutMs ?? 0, onOutput: toOwnStreams },
    say,
  );
  if (report.bootMs !== null) say(`booted in ${seconds(report.bootMs)}`);
  return throwUnlessFinished(report, rig);
}

export async function shellCommand(options: RigOptions, say: Say): Promise<number> {
  if (!process.stdin.isTTY)
    throw new UsageError("shell needs a terminal; for a command: bun scripts/rig.ts run -- COMMAND");
  const identity = options.identities[0] ?? "root";
  const { rows = 24, columns = 80 } = process.stdout;
  const term = quote(process.env["TERM"] ?? "xterm");
  const job = `exec <>/dev/hvc0 >&0 2>&1
export TERM=${term}
stty sane rows ${rows} cols ${columns}
cd /opt/rauha
echo "The checkout is here; 'as-rig user bash' is the ordinary user's login; 'exit' ends the guest."
setsid --ctty --wait as-rig ${identity} bash -i
`;
  const rig = await prepareRig(say);
  const report = await runJob(
    rig,
    { job, terminal: true, timeoutMs: options.timeoutMs ?? 0, onOutput: toOwnStreams },
    say,
  );
  // QEMU sets the terminal right when it ends by itself, not when it is killed.
  if (report.end.kind !== "finished") Bun.spawnSync(["stty", "sane"], { stdin: "inherit" });
  return throwUnlessFinished(report, rig);
}

async function unpackResults(rig: Rig, tar: Uint8Array): Promise<string> {
  const folder = join(rig.folder, "results");
  mkdirSync(folder, { recursive: true });
  if (tar.length === 0) return folder;
  const file = join(rig.folder, "results.tar");
  writeFileSync(file, tar);
  await run(["tar", "-C", folder, "--no-same-owner", "--ignore-zeros", "-xf", file]);
  return folder;
}

async function readReports(folder: string, selection: SuiteSelection): Promise<FileReport[]> {
  const reports: FileReport[] = [];
  for (const identity of selection.identities) {
    for (const file of filesFor(identity, selection)) {
      const names = resultNames(identity, file);
      const xml = await readText(join(folder, names.report));
      const code = await readText(join(folder, names.code));
      // With a name pattern, bun calls a file in which nothing matches a failure; here another file may hold the match.
      const narrowed = selection.namePattern !== null && code.trim() === "1" && !/<(failure|error)\b/.test(xml);
      reports.push({
        identity,
        file,
        xml: xml === "" ? null : xml,
        code: code === "" ? null : narrowed ? 0 : Number(code),
      });
    }
  }
  return reports;
}

async function readText(path: string): Promise<string> {
  const file = Bun.file(path);
  return (await file.exists()) ? await file.text() : "";
}

/** A kernel that warned has not failed a test, yet whoever loads programs into it wants to know. */
function warnOfKernel(dmesg: string, say: Say): void {
  for (const line of dmesg.split("\n")) if (/WARNING: CPU|BUG:|\bOops\b/.test(line)) say(`the guest's kernel: ${line}`);
}
