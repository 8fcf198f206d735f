/** watch_memory: the zone's memory where no cgroup counts it. */
import { describe, expect, test } from "bun:test";
import { endCause, type PlanOp } from "../../src/run/plan/contract.ts";
import { launch, runners } from "./launch.ts";
import { plan } from "./plans.ts";

const mebibyte = 1 << 20;
const watch = (limit: number): PlanOp => ({ op: "watch_memory", limit, interval_ms: 10 });
/** Holds `size` MiB in a process for some seconds. */
const hold = (size: number) => `perl -e '$x = "x" x (${size} << 20); sleep 5'`;

describe.each(runners)("as %s", (runner) => {
  const run = (script: string, limit: number) =>
    launch(plan({ runner, argv: ["sh", "-c", script], after: [watch(limit * mebibyte)] }), { runner });

  test("a process over the limit ends the zone", async () => {
    const { one } = await run(hold(200), 100);
    const ended = one("ended");
    expect(ended).toMatchObject({ status: 9, cause: endCause.memory });
    expect(ended.memory_peak).toBeGreaterThan(100 * mebibyte);
    expect(ended.max_rss_bytes).toBeGreaterThan(50 * mebibyte);
    expect(ended.wall_us).toBeLessThan(4_000_000);
  });

  test("many processes count together", async () => {
    const { one } = await run(`for i in 1 2 3 4 5; do ${hold(30)} & done; wait`, 100);
    expect(one("ended")).toMatchObject({ cause: endCause.memory });
    expect(one("ended").pids_peak).toBeGreaterThanOrEqual(5);
  });

  test("files in memory count", async () => {
    const { one } = await run("head -c 12000000 /dev/zero > /tmp/x; sleep 5", 10);
    expect(one("ended")).toMatchObject({ cause: endCause.memory });
  });

  test("what forked processes share counts once", async () => {
    const script = `perl -e '$x = "x" x (60 << 20); for (1 .. 4) { fork or do { sleep 3; exit } } 1 while wait > 0; exit 4'`;
    const { one } = await run(script, 150);
    expect(one("ended")).toMatchObject({ status: 4 << 8, cause: endCause.none });
    expect(one("ended").memory_peak).toBeGreaterThan(60 * mebibyte);
    expect(one("ended").pids_peak).toBe(6);
  });

  test("within the limit nothing happens", async () => {
    const { one } = await run(`perl -e '$x = "x" x (30 << 20); sleep 1'`, 150);
    expect(one("ended")).toMatchObject({ status: 0, cause: endCause.none });
    expect(one("ended").memory_peak).toBeGreaterThan(30 * mebibyte);
    expect(one("ended").memory_peak).toBeLessThan(150 * mebibyte);
  });
});
