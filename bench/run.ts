/**
 * Measures Rauha beside other sandboxes, in one run, and says medians and ratios. It never fails on a number.
 *
 *   bun bench/run.ts [--quick] [--start | --work]
 *
 * --start leaves out all but the start of a task: short enough for real-time priority (`chrt -f 10`) where the machine is busy.
 * --work leaves out all but the work in a zone.
 * Root measures twice: as itself and as an ordinary user. What was measured is in build/bench.json besides.
 */
import { chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRatios } from "./budgets.ts";
import { starters } from "./contenders.ts";
import { footprints } from "./hot-path.ts";
import { measure } from "./hyperfine.ts";
import { imageStartRatios, pullRatios } from "./images.ts";
import { describeMachine, type Report, renderRatios, renderReport } from "./report.ts";
import { openStage } from "./stage.ts";
import { measureWork, workRatio } from "./work.ts";
import { workspaceRatios } from "./workspace.ts";

const ORDINARY_USER = 12321;

process.chdir(`${import.meta.dir}/..`);
const quick = process.argv.includes("--quick");
const startOnly = process.argv.includes("--start");
const workOnly = process.argv.includes("--work");
if (!existsSync("dist/rauha") || Bun.which("hyperfine") === null) {
  console.error("bench: it needs dist/rauha (make build) and hyperfine (scripts/bootstrap.sh bench)");
  process.exit(1);
}
const stage = openStage();
try {
  const own = process.getuid?.() ?? 0;
  const reports = (own === 0 ? [0, ORDINARY_USER] : [own]).map((uid) => measureAs(uid, own));
  const pulls = startOnly || workOnly ? [] : await pullRatios(stage, quick);
  const machine = describeMachine();
  console.log([machine, ...reports.map(renderReport), renderRatios(pulls)].join("\n"));
  mkdirSync("build", { recursive: true });
  writeFileSync(
    "build/bench.json",
    `${JSON.stringify({ machine, at: new Date().toISOString(), reports, pulls }, null, 2)}\n`,
  );
} finally {
  stage.close();
}

function measureAs(uid: number, own: number): Report {
  const state = join(stage.folder, `state-${uid}`);
  mkdirSync(state);
  if (uid !== own) chownSync(state, uid, uid);
  const become = uid === own ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  const prefix = [...become, "env", "-i", `PATH=${process.env["PATH"]}`, `HOME=${state}`, `XDG_RUNTIME_DIR=${state}`];
  const starts = workOnly
    ? []
    : measure(starters(stage, uid, state), {
        warmup: 5,
        runs: quick ? 10 : 30,
        rounds: quick ? 2 : 5,
        prefix,
      });
  const work = startOnly ? [] : measureWork(stage, stage.memory(uid), prefix, quick ? 5 : 21);
  const workspace = startOnly || workOnly ? [] : workspaceRatios(stage, uid, own, prefix, quick);
  return {
    user: uid === 0 ? "root" : "an ordinary user",
    starts,
    work,
    footprints: workOnly ? [] : footprints(stage, prefix),
    ratios: [
      ...startRatios(starts),
      ...work.map(workRatio),
      ...workspace,
      ...(startOnly || workOnly ? [] : imageStartRatios(stage, uid, own, prefix, quick)),
    ],
  };
}
