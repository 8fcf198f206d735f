/**
 * Work that is done bare, in a zone, and under the least that the kernel's locks can be: the first two make the price, the third says
 * how much of it is the kernel's own. Processor time is compared, of the command and all its processes: unlike the wall clock it holds on
 * a machine that others use. What a zone costs that waits as long as the job takes is taken off, less what waiting costs outside.
 */
import type { Ratio } from "./budgets.ts";
import { usageOf } from "./hot-path.ts";
import type { Stage } from "./stage.ts";

interface Work {
  readonly name: string;
  /** A worst case: told, but not what the budget of real work is for (docs/adr/0022). */
  readonly worstCase?: true;
  /** Takes seconds: a few turns resolve it. */
  readonly long?: true;
  readonly command: readonly string[];
}

/** Milliseconds of processor time: the medians. */
export interface WorkMeasured {
  readonly name: string;
  readonly worstCase: boolean;
  readonly bareMs: number;
  readonly leastMs: number;
  readonly zoneMs: number;
  /** What was taken off: a zone in which as long nothing is done. */
  readonly idleMs: number;
  /** The same of the quickest runs. */
  readonly minima: { readonly bareMs: number; readonly leastMs: number; readonly zoneMs: number };
}

const trees = "/usr/include /usr/share/perl5 /usr/lib/python3";

/** The jobs; `folder` is the user's own, and work may write to it. */
export function works({ sources }: Pick<Stage, "sources">, folder: string): Work[] {
  // From the beginning of a second on: git reads files again that have the second of its index, all of them or none or those in between.
  const second = `sleep "$(date +%N | awk '{ printf "%.3f", 1.02 - $1 / 1e9 }')"`;
  const git = `set -e; ${second}; export GIT_CONFIG_NOSYSTEM=1; rm -rf ${folder}/git; mkdir ${folder}/git; cd ${folder}/git
git init -q .; git config user.name bench; git config user.email bench@example.org; git config gc.auto 0
cp -r /usr/include/linux /usr/share/perl5 .; git add -A; git commit -qm one; git rm -rq --cached linux; git commit -qm two
git checkout -qf HEAD~1; git status --short; git grep -n 'struct .*spec' >/dev/null; git diff --stat HEAD~0 >/dev/null; rm -rf linux; git checkout -q .`;
  // The same environment and directory inside and outside: what a program looks for, and where, depends on them.
  const same = ["env", "-i", `-C${folder}`, "PATH=/usr/bin:/bin", `HOME=${folder}`];
  const shell = (script: string): readonly string[] => [...same, "sh", "-c", script];
  const compile = `for f in ${sources}/*.c; do cc -O1 -S -o - $f >/dev/null || exit 1; done`;
  return [
    {
      name: "open-heavy: a digest of each of 9,000 small files",
      command: shell(`find ${trees} -type f -print0 | xargs -0 sha1sum >/dev/null`),
    },
    { name: "syscall-heavy: git init, add, commit, checkout, status, grep", command: shell(git) },
    { name: "compile job: cc on 12 files", command: shell(compile), long: true },
    {
      name: "worst case of opens: grep -r for one word",
      worstCase: true,
      command: shell(`for i in 1 2 3; do grep -rlq no-such-word-anywhere ${trees}; done; true`),
    },
    {
      name: "worst case of calls: dd bs=1",
      worstCase: true,
      command: [...same, "dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1500000", "status=none"],
    },
  ];
}

/** Every work that runs here, each way in turns; a long one has fewer. */
export function measureWork(stage: Stage, folder: string, prefix: readonly string[], rounds: number): WorkMeasured[] {
  const zone = [stage.rauha, "sandbox", "--repo", stage.sources, "--repo-mode", "ro", "--rw-bind", folder, "--"];
  return works(stage, folder).flatMap(({ name, worstCase = false, long = false, command }) => {
    const locked = [stage.probe, "least-locked", "both", ...command];
    const tries = [locked, [...zone, ...command], command].map((way) => usageOf(stage, way, prefix));
    if (tries.some(({ exitCode }) => exitCode !== 0)) return [];
    const wait = ["sleep", `${(tries.at(-1)?.cpuMs ?? 0) / 1000}`];
    const ways = [command, locked, [...zone, ...command], [...zone, ...wait], wait];
    const times: number[][] = ways.map(() => []);
    for (let round = 0; round < (long ? Math.ceil(rounds / 3) : rounds); round++) {
      ways.forEach((way, index) => void times[index]?.push(usageOf(stage, way, prefix).cpuMs));
    }
    const at = (share: number) => {
      const [bareMs = 0, leastMs = 0, wholeMs = 0, waitingMs = 0, sleepMs = 0] = times.map((list) =>
        quantile(list, share),
      );
      const idleMs = waitingMs - sleepMs;
      return { bareMs, leastMs, zoneMs: wholeMs - idleMs, idleMs };
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

/** What a share of the numbers is at most. */
export function quantile(list: readonly number[], share: number): number {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
