/**
 * SIGKILL at the system calls of rauha, of the launcher, of init and of the task until it is the command: strace's fault injection kills the
 * process that makes the call. Whoever it was, nothing stays but what the next invocation sweeps.
 */
import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { canTrace, inVm, isPinned, needs, patient } from "../support/identity.ts";
import { callerEnvironment, RAUHA, sandbox } from "../support/rauha.ts";
import { warm } from "../support/starts.ts";

const command = [RAUHA, "sandbox", "--", "true"];
const MOST_POINTS = inVm ? 20 : 130;
/** The calls at which most is half made. */
const DECISIVE = ["clone3", "move_mount", "pivot_root", "execve"];
/** The front's own: how it finds a record, gives the launcher its files and starts it. */
const DECISIVE_OF_FRONT = ["shmat", "memfd_create", "signalfd4", "clone"];
/** Of each of the two ways to start. */
const BUDGET_MS = patient(30_000);

interface Point {
  readonly call: string;
  readonly nth: number;
}

/** Who makes the calls: the planner, or the native front, which knows the start. */
type Way = "planned" | "remembered";

/** Runs rauha under strace, with these expressions. */
async function traced(way: Way, options: readonly string[], cwd: string): Promise<number | null> {
  const child = Bun.spawn(["strace", "-f", "-qq", ...options, ...command], {
    cwd,
    env: { ...callerEnvironment(), RAUHA_START: way === "planned" ? way : "" },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const impatience = setTimeout(() => child.kill("SIGKILL"), patient(20_000));
  await child.exited;
  clearTimeout(impatience);
  return child.exitCode;
}

/** Each call that any process of the run makes, with the numbers that strace gives its occurrences within one process. */
async function pointsOfARun(way: Way, cwd: string): Promise<Point[]> {
  const folder = makeFolder("trace");
  const log = join(folder, "log");
  await traced(way, ["-ff", "-o", log, "-e", "trace=!futex,madvise,mprotect,sched_yield,clock_gettime"], cwd);
  const most = new Map<string, number>();
  for (const name of readdirSync(folder)) {
    const lines = readFileSync(join(folder, name), "utf8").split("\n");
    // Of rauha itself, its runtime's start is of no interest; the launcher's processes have no dozen of threads.
    const counts = new Map<string, number>();
    for (const line of lines) {
      const call = /^(\w+)\(/.exec(line)?.[1];
      if (call !== undefined) counts.set(call, (counts.get(call) ?? 0) + 1);
    }
    for (const [call, count] of counts) most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  const all = [...most].flatMap(([call, count]) =>
    Array.from({ length: count }, (_, index) => ({ call, nth: index + 1 })),
  );
  const decisive = [...DECISIVE, ...DECISIVE_OF_FRONT];
  all.sort((one, other) => Number(decisive.includes(other.call)) - Number(decisive.includes(one.call)));
  const rare = all.filter(({ nth }) => nth <= 2);
  const rest = all.filter(({ nth }) => nth > 2);
  const step = Math.max(1, Math.ceil(rest.length / Math.max(1, MOST_POINTS - rare.length)));
  return [...rare, ...rest.filter((_, index) => index % step === 0)].slice(0, MOST_POINTS);
}

/** A start whose zone programs guard is planned each time. */
const WAYS = isPinned ? (["planned"] as const) : (["planned", "remembered"] as const);

for (const way of WAYS) {
  needs("root and strace", canTrace)(
    `a kill at each early system call of a ${way} start leaves nothing but old cgroups to sweep`,
    async () => {
      const folder = makeFolder("cwd");
      if (way === "remembered") await warm([], { cwd: folder });
      const points = await pointsOfARun(way, folder);
      expect(points.length).toBeGreaterThan(15);
      for (const call of [...DECISIVE, ...(way === "remembered" ? DECISIVE_OF_FRONT : [])])
        expect(points.map((point) => point.call)).toContain(call);
      const end = performance.now() + BUDGET_MS;
      const abandoned = new Set<string>();
      let done = 0;
      for (const { call, nth } of points) {
        if (performance.now() > end) break;
        // The runtime takes the start after a killed one, to tidy up, and this one is it.
        if (way === "remembered") await sandbox([], ["true"], { cwd: folder });
        const before = takeSnapshot([folder]);
        const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${nth}`];
        await traced(way, ["-o", "/dev/null", ...inject], folder);
        let left = await leftSince(before, [folder], 60);
        // Slower than usual is not left behind; a cgroup without a launcher stays until the next run.
        if (left.some((item) => !item.startsWith("cgroups: "))) left = await leftSince(before, [folder]);
        for (const item of left.filter((entry) => entry.startsWith("cgroups: "))) abandoned.add(item.slice(9));
        const rest = left.filter((item) => !item.startsWith("cgroups: "));
        expect({ call, nth, left: rest }).toEqual({ call, nth, left: [] });
        done++;
      }
      expect(done).toBeGreaterThan(Math.min(points.length, 40) - 1);
      await expectSwept(abandoned);
    },
    patient(120_000),
  );

  needs("root and strace", canTrace)(`a ${way} start under strace that kills no one works as any other`, async () => {
    expect(await traced(way, ["-o", "/dev/null"], makeFolder("works"))).toBe(0);
  });
}

/** By the runs that follow when these are old enough; each sweeps so many and no more. */
async function expectSwept(abandoned: ReadonlySet<string>): Promise<void> {
  const then = new Date(Date.now() - 3_600_000);
  for (const path of abandoned) if (existsSync(path)) utimesSync(path, then, then);
  for (let run = 0; run < 8 && [...abandoned].some((path) => existsSync(path)); run++) {
    await sandbox([], ["sleep", "0.1"]);
  }
  expect([...abandoned].filter((path) => existsSync(path))).toEqual([]);
}
