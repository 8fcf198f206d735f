/**
 * Work that is done bare, in a zone, and under the least that the kernel's locks can be: the first two make the price, the third says
 * how much of it is the kernel's own. Processor time is compared, of the command and all its processes, with that of a zone in which
 * nothing is done taken off: unlike the wall clock it holds on a machine that others use.
 */
import type { Ratio } from "./budgets.ts";
import { usageOf } from "./hot-path.ts";
import type { Stage } from "./stage.ts";

interface Work {
  readonly name: string;
  /** A worst case: told, but not what the budget of real work is for (docs/adr/0022). */
  readonly worstCase?: true;
  readonly command: readonly string[];
}

/** Milliseconds of processor time: the medians. */
export interface WorkMeasured {
  readonly name: string;
  readonly worstCase: boolean;
  readonly bareMs: number;
  readonly leastMs: number;
  readonly zoneMs: number;
  /** The same of the quickest runs. */
  readonly minima: { readonly bareMs: number; readonly leastMs: number; readonly zoneMs: number };
}

const trees = "/usr/include /usr/share/perl5 /usr/lib/python3";

function works(stage: Stage, folder: string): Work[] {
  const git = `set -e; export HOME=${folder} GIT_CONFIG_NOSYSTEM=1; rm -rf ${folder}/git; mkdir ${folder}/git; cd ${folder}/git
git init -q .; git config user.name bench; git config user.email bench@example.org; git config gc.auto 0
cp -r /usr/include/linux /usr/share/perl5 .; git add -A; git commit -qm one; git rm -rq --cached linux; git commit -qm two
git checkout -qf HEAD~1; git status --short; git grep -n 'struct .*spec' >/dev/null; git diff --stat HEAD~0 >/dev/null; rm -rf linux; git checkout -q .`;
  const shell = (script: string): readonly string[] => ["sh", "-c", script];
  const compile = `for f in ${stage.sources}/*.c; do cc -O1 -S -o - $f >/dev/null || exit 1; done`;
  return [
    {
      name: "open-heavy: a digest of each of 9,000 small files",
      command: shell(`find ${trees} -type f -print0 | xargs -0 sha1sum >/dev/null`),
    },
    { name: "syscall-heavy: git init, add, commit, checkout, status, grep", command: shell(git) },
    { name: "compile job: cc on 12 files", command: shell(compile) },
    {
      name: "worst case of opens: grep -r for one word",
      worstCase: true,
      command: shell(`for i in 1 2 3; do grep -rlq no-such-word-anywhere ${trees}; done; true`),
    },
    {
      name: "worst case of calls: dd bs=1",
      worstCase: true,
      command: ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1500000", "status=none"],
    },
  ];
}

/** Every work that runs here, each way in turns. `folder` is the user's own, and work may write to it. */
export function measureWork(stage: Stage, folder: string, prefix: readonly string[], rounds: number): WorkMeasured[] {
  const zone = [stage.rauha, "sandbox", "--repo", stage.sources, "--repo-mode", "ro", "--rw-bind", folder, "--"];
  const nothing = series(stage, [...zone, "true"], prefix, 15);
  return works(stage, folder).flatMap(({ name, worstCase = false, command }) => {
    const ways = [command, [stage.probe, "least-locked", "both", ...command], [...zone, ...command]];
    if (ways.some((way) => usageOf(stage, way, prefix).exitCode !== 0)) return [];
    const times: number[][] = ways.map(() => []);
    for (let round = 0; round < rounds; round++) {
      ways.forEach((way, index) => void times[index]?.push(usageOf(stage, way, prefix).cpuMs));
    }
    const at = (share: number) => {
      const [bareMs = 0, leastMs = 0, zoneMs = 0] = times.map((list) => quantile(list, share));
      return { bareMs, leastMs, zoneMs: zoneMs - quantile(nothing, share) };
    };
    return [{ name, worstCase, ...at(0.5), minima: at(0) }];
  });
}

/** Work in a zone to work outside; a worst case has no budget but the kernel's own price. */
export function workRatio({ name, worstCase, bareMs, leastMs, zoneMs, minima }: WorkMeasured): Ratio {
  const [base, baseOfMinima] = worstCase ? [leastMs, minima.leastMs] : [bareMs, minima.bareMs];
  return {
    what: `${name}: in a zone / ${worstCase ? "under the least lock" : "bare"}`,
    ratio: zoneMs / base,
    ofMinima: minima.zoneMs / baseOfMinima,
    budget: 1.03,
  };
}

function series(stage: Stage, command: readonly string[], prefix: readonly string[], runs: number): number[] {
  return Array.from({ length: runs }, () => usageOf(stage, command, prefix).cpuMs);
}

function quantile(list: readonly number[], share: number): number {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
