/** Processes of a zone: bounded in number, reaped, and gone when the task is. */
import { describe, expect, test } from "bun:test";
import { leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { patient } from "../support/identity.ts";
import { PROBE, probeBind, probeOnHost } from "../support/probe.ts";
import { guarantee, sandbox, start, tryInZone } from "../support/rauha.ts";

describe("--pids", () => {
  test("bounds a fork bomb: exactly so many processes", async () => {
    const tried = await tryInZone(["forkbomb 1000 200"], ["--pids", "64", "--timeout", "20s"]);
    expect(tried.answers[0]).toMatchObject({ outcome: "EAGAIN", items: ["63 made"] });
    expect(guarantee(tried.result, "pids_limit").state).toBe("enforced");
    const peak = tried.result.usage.pids_peak;
    if (peak !== null) expect(peak).toBeWithin(60, 67);
  });

  test(
    "bounds one that breeds, and the host forks on meanwhile",
    async () => {
      const child = start([
        "sandbox",
        "--pids",
        "40",
        "--timeout",
        "30s",
        ...probeBind,
        "--",
        PROBE,
        "forkbomb-tree",
        String(patient(3)),
      ]);
      await Bun.sleep(patient(300));
      expect(probeOnHost("forkbomb 20")[0]).toMatchObject({ outcome: "OK", items: ["20 made"] });
      const result = JSON.parse(await child.stdout.text()) as { status: string; stdout: string; duration_ms: number };
      expect(result.stdout).toContain("EAGAIN still here");
      expect(result.status).toBe("succeeded");
    },
    patient(30_000),
  );

  test("counts the zone's processes only: two zones at their limit don't meet", async () => {
    const flags = ["--pids", "30", "--timeout", "20s"];
    const runs = await Promise.all([1, 2, 3].map(() => tryInZone(["forkbomb 100 500"], flags)));
    expect(runs.map(({ answers }) => answers[0]?.items[0])).toEqual(["29 made", "29 made", "29 made"]);
  });

  test("of the shipped policy is 512", async () => {
    const { answers } = await tryInZone(["forkbomb 2000"]);
    expect(answers[0]).toMatchObject({ outcome: "EAGAIN", items: ["511 made"] });
  });

  test("of one is enough for a program", async () => {
    expect((await sandbox(["--pids", "1"], ["true"])).exitCode).toBe(0);
    expect((await sandbox(["--pids", "1", ...probeBind], [PROBE, "forkbomb", "5"])).result.stdout).toContain(
      "EAGAIN 0 made",
    );
  });
});

describe("when the task ends", () => {
  test("a daemonised grandchild ends with it, and its open pipes don't hold up the result", async () => {
    const before = takeSnapshot([]);
    const { result, ms } = await sandbox(probeBind, [PROBE, "daemonise", "300"]);
    expect(result).toMatchObject({ status: "succeeded", stdout: "daemonise 300: OK left behind\n" });
    expect(ms).toBeLessThan(patient(5000));
    expect(await leftSince(before, [])).toEqual([]);
  });

  test("so does a crowd of background jobs, nohup or not", async () => {
    const before = takeSnapshot([]);
    const script = "for i in 1 2 3 4 5 6 7 8 9 10; do nohup setsid sleep 300 & done; echo done";
    const { result, ms } = await sandbox([], ["sh", "-c", script]);
    expect(result.stdout).toBe("done\n");
    expect(ms).toBeLessThan(patient(5000));
    expect(await leftSince(before, [])).toEqual([]);
  });

  test("what it wrote last is not lost, however late", async () => {
    const { result } = await sandbox([], ["sh", "-c", "head -c 60000 /dev/zero | tr '\\0' x; echo end"]);
    expect(result.stdout?.length).toBe(60_004);
    expect(result.stdout).toEndWith("xend\n");
  });
});

describe("pid 1", () => {
  test("reaps orphans: no zombie stays", async () => {
    const { answers } = await tryInZone(["orphans 200", "sleep 0.2", "processes"]);
    const zombies = answers[2]?.items.filter((item) => item.split(" ")[1] === "Z");
    expect(zombies).toEqual([]);
    expect(answers[2]?.items.length).toBeLessThanOrEqual(2);
  });

  test("can't be killed, stopped or traced by the task, even by root inside", async () => {
    for (const user of [[], ["--user", "0"]]) {
      const tried = await tryInZone(
        ["kill 1 9", "kill 1 19", "kill 1 15", "ptrace 1", "vm-read 1", "pidfd 1 0", "self"],
        user,
      );
      const { outcome } = tried.answers.at(-1) ?? {};
      expect(outcome).toBe("OK");
      const [ninth, stop, term, ...reach] = tried.answers.map((answer) => answer.outcome);
      // A signal to a pid 1 that has no handler for it is dropped; Landlock's scope or the owner may refuse it before.
      for (const kill of [ninth, stop, term]) expect(kill).toBeOneOf(["OK", "EPERM"]);
      expect(reach.slice(0, 3)).toEqual(["EPERM", "EPERM", "EPERM"]);
    }
  });

  test("is small", async () => {
    const { answers } = await tryInZone([["lines", "/proc/1/status"]]);
    const rss = answers[0]?.items.find((line) => line.startsWith("VmRSS:"))?.split(/\s+/)[1];
    expect(Number(rss)).toBeLessThanOrEqual(300);
  });
});
