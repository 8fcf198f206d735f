/**
 * Measures Rauha beside other sandboxes, in one run, and says medians and ratios. It never fails on a number.
 *
 *   bun bench/run.ts [--quick]
 *
 * Root measures twice: as itself and as an ordinary user. What was measured is in build/bench.json besides.
 */
import { chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRatios, workRatio } from "./budgets.ts";
import { RAUHA, starters, works } from "./contenders.ts";
import { footprints } from "./hot-path.ts";
import { measure } from "./hyperfine.ts";
import { describeMachine, type Report, renderReport } from "./report.ts";
import { openStage, type Stage } from "./stage.ts";
import { workspaceRatio } from "./workspace.ts";

const ORDINARY_USER = 12321;

process.chdir(`${import.meta.dir}/..`);
const quick = process.argv.includes("--quick");
if (!existsSync("dist/rauha") || Bun.which("hyperfine") === null) {
  console.error("bench: it needs dist/rauha (make build) and hyperfine (scripts/bootstrap.sh bench)");
  process.exit(1);
}
const stage = openStage();
try {
  const own = process.getuid?.() ?? 0;
  const reports = (own === 0 ? [0, ORDINARY_USER] : [own]).map((uid) => measureAs(uid, own));
  const machine = describeMachine();
  console.log([machine, ...reports.map(renderReport)].join("\n"));
  mkdirSync("build", { recursive: true });
  writeFileSync("build/bench.json", `${JSON.stringify({ machine, at: new Date().toISOString(), reports }, null, 2)}\n`);
} finally {
  stage.close();
}

function measureAs(uid: number, own: number): Report {
  const state = join(stage.folder, `state-${uid}`);
  mkdirSync(state);
  if (uid !== own) chownSync(state, uid, uid);
  const become = uid === own ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  const prefix = [...become, "env", "-i", `PATH=${process.env["PATH"]}`, `HOME=${state}`, `XDG_RUNTIME_DIR=${state}`];
  const starts = measure(starters(stage, uid, state), {
    warmup: 5,
    runs: quick ? 10 : 30,
    rounds: quick ? 2 : 5,
    prefix,
  });
  const start = starts.find(({ name }) => name === RAUHA);
  const work = measureWork(stage, prefix);
  return {
    user: uid === 0 ? "root" : "an ordinary user",
    starts,
    work,
    footprints: footprints(stage, prefix),
    ratios: [
      ...startRatios(starts),
      ...work.map(({ name, bare, inZone }) => workRatio(name, bare, inZone, start)),
      workspaceRatio(stage, uid, own, prefix, quick),
    ],
  };
}

/** Each work bare and in a zone, in turns. */
function measureWork(on: Stage, prefix: readonly string[]): Report["work"] {
  return works(on).flatMap(({ name, command }) => {
    const zone = [on.rauha, "sandbox", "--repo", on.sources, "--repo-mode", "ro", "--", ...command];
    const pair = [
      { name: "bare", command },
      { name: "in a zone", command: zone },
    ];
    const [bare, inZone] = measure(pair, { warmup: 0, runs: 2, rounds: quick ? 1 : 4, prefix });
    return bare === undefined || inZone === undefined ? [] : [{ name, bare, inZone }];
  });
}
