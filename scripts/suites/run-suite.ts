/** Runs one suite as one user, and reads what its runner reported. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { shareDebianImage } from "./debian-image.ts";
import { parseJunit } from "./junit.ts";
import type { OrdinaryUser } from "./ordinary-user.ts";
import { subordinateIdsPrefix } from "./subordinate-ids.ts";
import type { SuiteRun } from "./suites.ts";
import type { RunOutcome } from "./tally.ts";

const TEST_TIMEOUT_MS = 60_000;
/** The guard around a suite, for a runner that hangs itself; the VM is emulated and needs longer. */
const SUITE_SECONDS = 900;
const VM_SECONDS = 2400;
/**
 * What the VM's kernel decides otherwise than the host's: controllers of cgroup v2, delegation, Landlock's older ABI, idmapped mounts.
 * The rest is long on an emulated processor and runs on the host anyway; `make test-kernel` runs all of it.
 */
const IN_VM = [
  "test/kernel/",
  "test/escape/",
  ...[
    "binds",
    "identity",
    "kill",
    "landlock",
    "limits",
    "memory",
    "network",
    "processes",
    "seccomp",
    "view",
    "workspace",
  ].map((name) => `test/zone/${name}.test.ts`),
];

/**
 * Suites that start real zones, whose processes the machine may keep waiting: a test of theirs that fails is tried once more, and both
 * tries are in the output. What is broken fails twice.
 */
const ON_THE_CLOCK = ["native", "contract", "zone", "escape", "image", "network"];

export interface RunContext {
  readonly repository: string;
  /** Where root's or the caller's reports go. */
  readonly reports: string;
  /** The user for runs as "user", when it is not the caller. */
  readonly user: OrdinaryUser | undefined;
  readonly secondsLeft: () => number;
}

/** Runs it to its end, or until its time is up; the output goes straight to the caller. */
export async function runSuite(run: SuiteRun, context: RunContext): Promise<RunOutcome> {
  const user = run.as === "user" ? context.user : undefined;
  const repository = user?.repository ?? context.repository;
  const report = join(user?.reports ?? context.reports, `${run.suite}-${run.as}.xml`);
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });

  const debian = user && run.suite === "image" ? await shareDebianImage(user.root, user.uid) : undefined;
  const start = performance.now();
  const seconds = Math.max(1, Math.min(run.as === "vm" ? VM_SECONDS : SUITE_SECONDS, context.secondsLeft()));
  const child = Bun.spawn(["timeout", "--kill-after=10", String(Math.ceil(seconds)), ...commandOf(run, report, user)], {
    cwd: repository,
    env: { ...environment(), ...user?.env, RAUHA_TEST_AS: run.as, ...(debian && { RAUHA_TEST_DEBIAN: debian }) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exitCode = await child.exited;
  const tests = existsSync(report) ? parseJunit(readFileSync(report, "utf8")) : [];
  return { run, tests, exitCode, seconds: (performance.now() - start) / 1000 };
}

function commandOf(run: SuiteRun, report: string, user: OrdinaryUser | undefined): string[] {
  const bun = "node_modules/.bin/bun";
  if (run.as === "vm")
    return [
      bun,
      "scripts/rig.ts",
      "test",
      "--brief",
      "--junit",
      report,
      ...IN_VM.flatMap((part) => ["--filter", part]),
    ];
  if (run.suite === "check") return [bun, "scripts/check.ts", "--junit", report];
  const verbose = process.env["RAUHA_TEST_VERBOSE"] === "1" ? [] : ["--only-failures"];
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`, `--timeout=${TEST_TIMEOUT_MS}`];
  const retry = ON_THE_CLOCK.includes(run.suite) ? ["--retry=1"] : [];
  const ids = user && run.suite === "image" ? subordinateIdsPrefix(user) : [];
  return [...ids, ...(user?.prefix ?? []), bun, "test", ...verbose, ...retry, ...reporter, `./test/${run.suite}/`];
}

/** The caller's environment, without what would change how the runner or the program behaves. */
function environment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(BUN_OPTIONS|BUN_BE_BUN|RAUHA_(?!TEST_|FUZZ_|CACHE_).*)$/.test(name),
  );
  return { NO_COLOR: "1", ...(Object.fromEntries(kept) as Record<string, string>) };
}
