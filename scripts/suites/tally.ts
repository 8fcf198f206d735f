/** Counts what the suites did, and puts it into words. */
import type { TestCase } from "./junit.ts";
import { type ExpectedSkip, expectsSkip } from "./skips.ts";
import type { SuiteRun } from "./suites.ts";

/** What is known of a run after it ended. */
export interface RunOutcome {
  readonly run: SuiteRun;
  readonly tests: readonly TestCase[];
  readonly exitCode: number;
  readonly seconds: number;
}

export interface Tally {
  readonly run: SuiteRun;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One line for each failure: a failed test, an unexpected skip, a suite that ran nothing or ended badly. */
  readonly failures: readonly string[];
}

/** Judges one run. */
export function tallyRun(outcome: RunOutcome, expected: readonly ExpectedSkip[]): Tally {
  const { run, tests, exitCode, seconds } = outcome;
  const at = `${run.suite} as ${run.as}`;
  const failures = tests
    .filter((test) => test.outcome === "failed")
    .map(({ name, file }) => `${at}: ${name} (${file})`);
  const skips = tests.filter((test) => test.outcome === "skipped");
  const unexpected = skips.filter((test) => !expected.some((entry) => expectsSkip(entry, run, test)));
  for (const { name } of unexpected) failures.push(`${at}: skipped, and not in test/expected-skips.json: ${name}`);
  if (tests.length === 0) failures.push(`${at}: no test ran (exit code ${exitCode})`);
  else if (exitCode !== 0 && failures.length === 0)
    failures.push(`${at}: exit code ${exitCode} although no test failed`);
  return {
    run,
    seconds,
    passed: tests.filter((test) => test.outcome === "passed").length,
    failed: failures.length,
    skipped: skips.length - unexpected.length,
    failures,
  };
}

/** A table of the runs and, below it, what failed. */
export function renderTallies(tallies: readonly Tally[]): string {
  const rows = tallies.map(({ run, passed, failed, skipped, seconds }) =>
    [run.suite.padEnd(10), run.as.padEnd(6), ...[passed, failed, skipped].map((count) => String(count).padStart(8))]
      .concat(`${seconds.toFixed(1)} s`.padStart(10))
      .join(""),
  );
  const head = `${"suite".padEnd(10)}${"as".padEnd(6)}${["passed", "failed", "skipped"].map((word) => word.padStart(8)).join("")}${"time".padStart(10)}`;
  const failures = tallies.flatMap((tally) => tally.failures).map((line) => `FAILED ${line}`);
  return [head, ...rows, ...failures].join("\n");
}

/** The last line of a run, the same in every outcome. */
export function renderTotal(tallies: readonly Tally[]): string {
  const sum = (key: "passed" | "failed" | "skipped"): number => tallies.reduce((total, tally) => total + tally[key], 0);
  return `${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`;
}
