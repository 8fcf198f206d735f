/** A copy-on-write workspace of many files, of which a task changes three: its cost must follow the changes, not the files. */
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ratio } from "./budgets.ts";
import { PLANNED, RAUHA } from "./contenders.ts";
import { measure } from "./hyperfine.ts";
import type { Stage } from "./stage.ts";

const directories = 400;
const filesEach = 500;
const script = "echo a > d1/f1; echo b > d200/f2; echo c > d399/f3";

/**
 * Three changed files among 200,000, kept for later, to a task without any workspace: to one whose start is planned as this one's is, which
 * shows what the workspace costs; and to one that is remembered.
 */
export function workspaceRatios(
  stage: Stage,
  uid: number,
  own: number,
  prefix: readonly string[],
  quick: boolean,
): Ratio[] {
  const repository = join(stage.folder, `repository-${uid}`);
  plant(repository, uid, own);
  const name = "three changes among 200,000 files";
  const measured = measure(
    [
      { name: RAUHA, command: [stage.rauha, "sandbox", "--", "true"] },
      { name: PLANNED, command: [stage.rauha, "sandbox", "true"] },
      { name, command: [stage.rauha, "sandbox", "--repo-path", repository, "--", "sh", "-c", script] },
    ],
    { warmup: 3, runs: quick ? 10 : 20, rounds: quick ? 1 : 5, prefix },
  );
  Bun.spawnSync([...prefix, stage.rauha, "changes", "prune"]);
  const [remembered, planned, changing] = measured;
  return [planned, remembered].map((task) => ({
    what: `${name} / ${task?.name}`,
    ratio: (changing?.median ?? Number.NaN) / (task?.median ?? Number.NaN),
    ofMinima: (changing?.min ?? Number.NaN) / (task?.min ?? Number.NaN),
    budget: 1.3,
  }));
}

function plant(folder: string, uid: number, own: number): void {
  const give = (path: string): void => {
    if (uid !== own) chownSync(path, uid, uid);
  };
  mkdirSync(folder);
  give(folder);
  for (let d = 0; d < directories; d++) {
    const directory = join(folder, `d${d}`);
    mkdirSync(directory);
    give(directory);
    for (let f = 0; f < filesEach; f++) {
      writeFileSync(join(directory, `f${f}`), `${f}\n`);
      give(join(directory, `f${f}`));
    }
  }
}
