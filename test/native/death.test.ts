/** Whoever dies, takes the zone along; and nothing is left of it. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cgroupKind, endCause, type PlanOp } from "../../src/run/plan/contract.ts";
import { isRoot, launch, type Running, runners } from "./launch.ts";
import { type PlanParts, plan } from "./plans.ts";

const pidsRoot = "/sys/fs/cgroup/pids";
const hasVersion1 = isRoot && existsSync(`${pidsRoot}/tasks`);

/** Processes with this word among their arguments. */
function processesWith(word: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(word);
    } catch {
      return false;
    }
  });
}

async function untilGone(word: string): Promise<string[]> {
  const end = performance.now() + 3000;
  while (processesWith(word).length > 0 && performance.now() < end) await Bun.sleep(5);
  return processesWith(word);
}

let count = 0;
const newWord = (): string => `rauha-test-mark-${process.pid}-${count++}`;
/** A task and descendants that would stay for long, all of them carrying the word. */
const lingering = (word: string) => [
  "sh",
  "-c",
  "sh -c 'sleep 600' $0 & (setsid sh -c 'sleep 600' $0 &) ; sleep 600",
  word,
];

describe.each(runners)("as %s", (runner) => {
  const run = (word: string, parts: Partial<PlanParts>, act: (running: Running, pid: number) => void) =>
    launch(plan({ runner, argv: lingering(word), ...parts }), {
      runner,
      onRecord: (record, running) => {
        if (record.record === "started") setTimeout(() => act(running, record.pid), 30);
      },
    });

  test("SIGKILL to the supervisor: the zone dies with it", async () => {
    const word = newWord();
    const { records, signal } = await run(word, {}, (running) => {
      expect(processesWith(word).length).toBeGreaterThan(2);
      running.kill("SIGKILL");
    });
    expect(signal).toBe("SIGKILL");
    expect(records.at(-1)?.record).toBe("started");
    expect(await untilGone(word)).toEqual([]);
  });

  test("rauha is gone (the control pipe has ended): the zone dies, and is cleaned up", async () => {
    const word = newWord();
    const { one } = await run(word, {}, (running) => running.leave());
    expect(one("ended").cause).toBe(endCause.cancelled);
    expect(one("cleaned").errno).toBe(0);
    expect(await untilGone(word)).toEqual([]);
  });

  test.if(isRoot)("SIGKILL to init: reported as lost", async () => {
    const word = newWord();
    const { one } = await run(word, {}, (_, pid) => process.kill(pid, "SIGKILL"));
    expect(one("ended")).toMatchObject({ status: 9, cause: endCause.init_lost });
    expect(await untilGone(word)).toEqual([]);
  });

  test("signals of a terminal or of a session's end don't reach past the supervisor", async () => {
    const word = newWord();
    const { one } = await run(word, { argv: ["sh", "-c", "sleep 0.2; exit 6", word] }, (running) => {
      if (runner === "user" && isRoot === false) return;
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGTSTP", "SIGALRM"] as const) {
        running.kill(signal);
      }
    });
    expect(one("ended")).toMatchObject({ status: 6 << 8, cause: endCause.none });
  });

  test("a fork bomb ends with its zone", async () => {
    const word = newWord();
    const nproc: PlanOp = { op: "rlimit", resource: 6, soft: 60, hard: 60, clamp: 1 };
    const bomb = "f() { f | f & }; f; sleep 600";
    const parts = { argv: ["sh", "-c", bomb, word], after: [nproc], ...(runner === "root" ? { uid: 7 } : {}) };
    const started = performance.now();
    const { one } = await run(word, parts, (running) => running.say(3));
    expect(one("ended").status).toBe(9);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await untilGone(word)).toEqual([]);
  });

  test("killed at any moment of its start, nothing is left", async () => {
    const words: string[] = [];
    for (let delay = 0; delay < 12; delay++) {
      const word = newWord();
      words.push(word);
      await launch(plan({ runner, argv: lingering(word) }), {
        runner,
        onStart: (running) => setTimeout(() => running.kill("SIGKILL"), delay * 0.6),
      });
    }
    for (const word of words) expect(await untilGone(word)).toEqual([]);
  });
});

test.if(hasVersion1)("rauha's death leaves no cgroup", async () => {
  const path = `${pidsRoot}/rauha-test-death-${process.pid}`;
  const before: PlanOp[] = [{ op: "cgroup", path, kind: cgroupKind.v1 }];
  const word = newWord();
  await launch(plan({ runner: "root", argv: lingering(word), before }), {
    runner: "root",
    onRecord: (record, running) => {
      if (record.record === "started") running.leave();
    },
  });
  expect(existsSync(path)).toBe(false);
});
