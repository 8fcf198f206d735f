/**
 * Runs the checks and the test suites, and says in its last line (and in build/reports/total) how many tests passed, failed and were
 * skipped. Root runs the suites that depend on privilege twice: as itself and as an ordinary user.
 *
 *   bun scripts/test.ts [--as root|user|vm] [suite...]
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { closeOrdinaryUser, type OrdinaryUser, openOrdinaryUser } from "./suites/ordinary-user.ts";
import { runSuite } from "./suites/run-suite.ts";
import { parseExpectedSkips } from "./suites/skips.ts";
import { planRuns, type RunAs } from "./suites/suites.ts";
import { renderTallies, renderTotal, type Tally, tallyRun } from "./suites/tally.ts";

/** The whole run ends within this, so that whoever waits for it, an hour at most, gets its last line. */
const WALL_CLOCK_SECONDS = 50 * 60;

const repository = `${import.meta.dir}/..`;
process.chdir(repository);
mkdirSync("build/reports", { recursive: true });
rmSync("build/reports/total", { force: true });

const { values, positionals } = parseArgs({
  options: { as: { type: "string" } },
  allowPositionals: true,
  strict: true,
});
const isRoot = process.getuid?.() === 0;
const runs = planRuns({ isRoot, only: positionals, as: values.as as RunAs | undefined });
const expected = parseExpectedSkips(readFileSync("test/expected-skips.json", "utf8"));

const tallies: Tally[] = [];
const user = isRoot && runs.some(({ as }) => as === "user") ? openOrdinaryUser(process.cwd()) : undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (user) closeOrdinaryUser(user);
    process.exit(130);
  });
}
try {
  await runAll(user);
} finally {
  if (user) closeOrdinaryUser(user);
}
console.log(`\n${renderTallies(tallies)}`);
console.log(renderTotal(tallies));
writeFileSync("build/reports/total", `${renderTotal(tallies)}\n`);
process.exit(tallies.length > 0 && tallies.every(({ failed }) => failed === 0) ? 0 : 1);

async function runAll(ordinaryUser: OrdinaryUser | undefined): Promise<void> {
  const reports = `${process.cwd()}/build/reports`;
  const end = performance.now() + WALL_CLOCK_SECONDS * 1000;
  const secondsLeft = (): number => (end - performance.now()) / 1000;
  for (const run of runs) {
    console.log(`\ntest: ${run.suite} as ${run.as}`);
    const outcome = await runSuite(run, { repository: process.cwd(), reports, user: ordinaryUser, secondsLeft });
    tallies.push(tallyRun(outcome, expected));
  }
}
