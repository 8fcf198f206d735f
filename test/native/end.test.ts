/** How a task's end comes out: statuses, signals, time, and what the launcher says when there was no task. */
import { describe, expect, test } from "bun:test";
import { control, endCause, stages } from "../../src/run/plan/contract.ts";
import { launch, type Running, runners } from "./launch.ts";
import { type PlanParts, plan } from "./plans.ts";

/** Calls back once the task is the user's command. */
const onStarted = (act: (running: Running) => void) => ({
  onRecord: (record: { record: string }, running: Running) => {
    if (record.record === "started") act(running);
  },
});
const exited = (code: number) => code << 8;
const timeout = (wall_ms: number, grace_ms: number) => ({ op: "timeout", wall_ms, grace_ms, signal: 15 }) as const;

describe.each(runners)("as %s", (runner) => {
  const run = (argv: readonly string[], parts: Partial<PlanParts> = {}, act?: (running: Running) => void) =>
    launch(plan({ runner, argv, ...parts }), { runner, ...(act ? onStarted(act) : {}) });

  test.each([
    ["true", ["true"], exited(0)],
    ["exit 7", ["sh", "-c", "exit 7"], exited(7)],
    ["exit 255", ["sh", "-c", "exit 255"], exited(255)],
    ["its own SIGKILL", ["sh", "-c", "kill -9 $$"], 9],
    ["its own SIGSEGV", ["sh", "-c", "ulimit -c 0; kill -SEGV $$"], 11],
  ])("%s", async (_, argv, status) => {
    const { exitCode, signal, errors, one, all } = await run(argv);
    expect({ exitCode, signal, errors }).toEqual({ exitCode: 0, signal: null, errors: "" });
    expect(one("started").pid).toBeGreaterThan(1);
    expect(one("ended")).toMatchObject({ status, cause: endCause.none });
    expect(one("cleaned")).toMatchObject({ errno: 0, detail: "" });
    expect(all("failed")).toEqual([]);
  });

  test("records come in order, and nothing after cleaned", async () => {
    const { records } = await run(["echo", "hi"]);
    const names = records.map(({ record }) => record).filter((name) => name !== "skipped");
    expect(names).toEqual(["started", "output", "ended", "cleaned"]);
  });

  test.each([
    ["nothing of that name", ["no-such-command"], 2],
    ["nothing at that path", ["/no/such/command"], 2],
    ["an empty name", [""], 2],
    ["a file that may not be executed", ["/etc/passwd"], 13],
    ["a directory", ["/usr"], 13],
    ["not a program", ["/tmp/text"], 8],
  ])("%s: failed at exec, with the errno", async (_, argv, errno) => {
    const ops = plan({
      runner,
      argv,
      mounts: [{ op: "file", target: "/tmp2/text", mode: 0o755, content: new TextEncoder().encode("no magic\n") }],
    }).map((op) => (op.op === "exec" && argv[0] === "/tmp/text" ? { ...op, argv: ["/tmp2/text"] } : op));
    const { one, all } = await launch(ops, { runner });
    const failed = one("failed");
    expect(failed).toMatchObject({ op: ops.length - 1, errno, step: "execve" });
    expect(stages[failed.stage]).toBe("exec");
    expect([...all("started"), ...all("ended")]).toEqual([]);
    expect(one("cleaned").errno).toBe(0);
  });

  test("PATH is the task's own, and searched as a shell does: what may not run is passed over and remembered", async () => {
    const script = (text: string) => new TextEncoder().encode(`#!/bin/sh\necho ${text}\n`);
    const mounts = [
      { op: "file", target: "/a/tool", mode: 0o644, content: script("a") },
      { op: "file", target: "/b/tool", mode: 0o755, content: script("b") },
      { op: "file", target: "/a/locked", mode: 0o644, content: script("a") },
    ] as const;
    const env = ["X=1", "PATH=/none:/etc/passwd:/a:/b:/usr/bin"];
    expect((await run(["tool"], { mounts, env })).output(1)).toBe("b\n");
    expect((await run(["locked"], { mounts, env })).one("failed").errno).toBe(13);
  });

  test("without PATH the usual places are searched", async () => {
    expect((await run(["env"], { env: ["A=b"] })).output(1)).toBe("A=b\n");
  });

  test("a working directory that is not there is a failure of the set-up, at its own op", async () => {
    const ops = plan({ runner, argv: ["true"], workdir: "/nowhere" });
    const { one } = await launch(ops, { runner });
    expect(one("failed")).toMatchObject({ op: ops.length - 2, errno: 2, step: "chdir", detail: "/nowhere" });
  });

  test("time is up: SIGTERM to the whole process group", async () => {
    const { one } = await run(["sh", "-c", "sleep 30"], { after: [timeout(400, 5000)] });
    const ended = one("ended");
    expect(ended).toMatchObject({ status: 15, cause: endCause.timeout });
    expect(ended.wall_us).toBeGreaterThan(40_000);
    expect(ended.wall_us).toBeLessThan(3_000_000);
  });

  test("a task that tidies up on SIGTERM still has timed out", async () => {
    const script = "trap 'echo bye; exit 3' TERM; sleep 30 & wait";
    const { one, output } = await run(["sh", "-c", script], { after: [timeout(400, 5000)] });
    expect(one("ended")).toMatchObject({ status: exited(3), cause: endCause.timeout });
    expect(output(1)).toBe("bye\n");
  });

  test("a task that ignores SIGTERM is killed after the grace, and its usage is known", async () => {
    const script = "trap '' TERM; while :; do :; done";
    const { one } = await run(["sh", "-c", script], { after: [timeout(2000, 200)] });
    const ended = one("ended");
    expect(ended).toMatchObject({ status: 9, cause: endCause.timeout });
    expect(ended.user_us + ended.system_us).toBeGreaterThan(50_000);
  });

  test("a stopped task can't sit the time out", async () => {
    const { one } = await run(["sh", "-c", "kill -STOP $$"], { after: [timeout(400, 5000)] });
    expect(one("ended")).toMatchObject({ status: 15, cause: endCause.timeout });
  });

  test("signal: forwarded, and the task decides", async () => {
    const script = "trap 'echo usr1; exit 4' USR1; sleep 30 & wait";
    const { one, output } = await run(["sh", "-c", script], {}, (running) =>
      setTimeout(() => running.say(control.signal, 10), 100),
    );
    expect(one("ended")).toMatchObject({ status: exited(4), cause: endCause.none });
    expect(output(1)).toBe("usr1\n");
  });

  test("cancel: the signal, and SIGKILL to the zone after the grace", async () => {
    const gently = await run(["sleep", "30"], { after: [timeout(0, 5000)] }, (running) =>
      running.say(control.cancel, 2),
    );
    expect(gently.one("ended")).toMatchObject({ status: 2, cause: endCause.cancelled });
    const script = "trap '' INT; while :; do :; done";
    const stubborn = await run(["sh", "-c", script], { after: [timeout(0, 100)] }, (running) =>
      setTimeout(() => running.say(control.cancel, 2), 50),
    );
    expect(stubborn.one("ended")).toMatchObject({ status: 9, cause: endCause.cancelled });
  });

  test("kill: at once", async () => {
    const { one } = await run(["sleep", "30"], {}, (running) => running.say(control.kill));
    expect(one("ended")).toMatchObject({ status: 9, cause: endCause.cancelled });
  });

  test("cancelled before the task could start: nothing ran", async () => {
    const { records, one } = await launch(plan({ runner, argv: ["sh", "-c", "echo ran"] }), {
      runner,
      onStart: (running) => running.leave(),
    });
    // The report is gone for a rauha that is gone; whoever still reads it hears that nothing started, or how it ended.
    const names = records.map(({ record }) => record);
    if (names.includes("started")) expect(one("ended").cause).toBe(endCause.cancelled);
    else if (names.includes("failed")) expect(one("failed").errno).toBe(125);
  });

  test("what is left running in the zone ends with the task", async () => {
    const started = performance.now();
    const { one, output } = await run(["sh", "-c", "sleep 60 & (setsid sleep 60 &) ; echo done"]);
    expect(output(1)).toBe("done\n");
    expect(one("ended").status).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("usage counts everyone who ran in the zone", async () => {
    const busy = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";
    const { one } = await run(["sh", "-c", `(${busy}) & sleep 0.4`]);
    const ended = one("ended");
    expect(ended.user_us + ended.system_us).toBeGreaterThan(5_000);
    expect(ended.max_rss_bytes).toBeGreaterThan(500_000);
    expect(ended.max_rss_bytes).toBeLessThan(100_000_000);
    expect(ended.wall_us).toBeGreaterThan(390_000);
  });
});
