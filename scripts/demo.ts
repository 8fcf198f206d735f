/**
 * The demonstration: this repository's own unit tests in a zone, then a hostile script, and what became of each of its attempts.
 * Its exit code is 0 only when the tests passed and everything was contained.
 */
import { existsSync } from "node:fs";
import { type Attempt, BOMBS, spy, vandalise } from "./demo/attempts.ts";
import { renderResult, sandbox } from "./demo/rauha.ts";
import { openStage } from "./demo/stage.ts";

/** These make device nodes, the marks of overlayfs for deleted files; a zone without capabilities has no device nodes to make. */
const IGNORED = ["--path-ignore-patterns=test/unit/workspace/**"];

process.chdir(`${import.meta.dir}/..`);
if (!existsSync("dist/rauha")) {
  console.error("demo: dist/rauha is missing; run make build");
  process.exit(1);
}
try {
  const testsPassed = await runOwnTests();
  const attempts = await runHostile();
  process.exit(testsPassed && attempts.every(({ contained }) => contained) ? 0 : 1);
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function runOwnTests(): Promise<boolean> {
  const command = ["node_modules/.bin/bun", "test", "--timeout=60000", ...IGNORED, "test/unit"];
  console.log("demo: the unit tests of this repository, in a zone that sees it read-only\n");
  console.log(`$ dist/rauha sandbox --repo-path . --repo-mode ro -- ${command.join(" ")}`);
  const result = await sandbox({ flags: ["--repo-path", ".", "--repo-mode", "ro"], command });
  console.log(renderResult(result));
  return result.status === "succeeded";
}

async function runHostile(): Promise<Attempt[]> {
  console.log("\ndemo: a hostile script (scripts/demo/hostile.sh) in the same kind of zone\n");
  const stage = openStage();
  try {
    const attempts = [...(await spy(stage)), await vandalise(stage)];
    for (const bomb of BOMBS) attempts.push(await bomb(stage));
    console.log(renderTable(attempts));
    return attempts;
  } finally {
    stage.close();
  }
}

function renderTable(attempts: readonly Attempt[]): string {
  const rows = [
    ["the task", "says itself", "the host says", ""],
    ...attempts.map(({ what, inside, outside, contained }) => [
      what,
      inside,
      outside,
      contained ? "contained" : "ESCAPED",
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.min(60, Math.max(...rows.map((row) => row[column]?.length ?? 0))));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column < 3 ? cell.slice(0, 60).padEnd(widths[column] ?? 0) : cell)).join("  ");
  const escaped = attempts.filter(({ contained }) => !contained).length;
  return [...rows.map(line), "", `${attempts.length - escaped} of ${attempts.length} attempts contained`].join("\n");
}
