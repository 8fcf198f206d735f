/** Signals to rauha: passed to the task, then the end of the zone; a caller always gets a result, and nothing stays. */
import { describe, expect, test } from "bun:test";
import { leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { patient } from "../support/identity.ts";
import { PROBE, probeBind } from "../support/probe.ts";
import { callerEnvironment, parseResult, RAUHA, start } from "../support/rauha.ts";

/** Runs a task that says when it is ready, signals rauha then, and reads the result. */
async function signalled(command: readonly string[], ...signals: readonly NodeJS.Signals[]) {
  const ready = Promise.withResolvers<void>();
  const child = Bun.spawn([RAUHA, "sandbox", "--stream", "--result-fd", "3", ...probeBind, "--", ...command], {
    cwd: "/",
    env: callerEnvironment(),
    stdio: ["ignore", "pipe", "ignore", "pipe"],
  });
  const seen = readAll(child.stdout, (text) => text.includes("ready") && ready.resolve());
  await Promise.race([ready.promise, child.exited]);
  const began = performance.now();
  for (const signal of signals) {
    child.kill(signal);
    await Bun.sleep(50);
  }
  const fd = child.stdio[3];
  const [stdout, resultText, exitCode] = await Promise.all([seen, Bun.file(fd as number).text(), child.exited]);
  return { stdout, exitCode, result: parseResult(resultText), ms: performance.now() - began };
}

async function readAll(stream: ReadableStream<Uint8Array>, look: (text: string) => unknown): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    text += piece;
    look(text);
  }
  return text;
}

describe("a signal to rauha", () => {
  test.each([
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const)("%s reaches the task, which may tidy up", async (name, number) => {
    const before = takeSnapshot([]);
    const { exitCode, result, stdout } = await signalled([PROBE, "await-signal", "30"], name);
    expect(stdout).toContain(`await-signal 30: OK ${number}`);
    expect(result).toMatchObject({ cause: "cancelled", exit_code: 0 });
    expect(exitCode).toBe(128 + number);
    expect(await leftSince(before, [])).toEqual([]);
  });

  test(
    "ends a task that does not listen within the grace",
    async () => {
      const { exitCode, result, ms } = await signalled(
        ["sh", "-c", "trap '' TERM; echo ready; sleep 60 & wait; sleep 60"],
        "SIGTERM",
      );
      expect({ exitCode, cause: result.cause, signal: result.signal }).toEqual({
        exitCode: 143,
        cause: "cancelled",
        signal: "SIGKILL",
      });
      expect(ms).toBeLessThan(patient(9000));
    },
    patient(30_000),
  );

  test("a second one is the end at once", async () => {
    const { result, ms } = await signalled(
      ["sh", "-c", "trap '' INT; echo ready; sleep 60; sleep 60"],
      "SIGINT",
      "SIGINT",
    );
    expect(result).toMatchObject({ cause: "cancelled", signal: "SIGKILL" });
    expect(ms).toBeLessThan(patient(3000));
  });

  test(
    "before the task has started still gives a result or dies of the signal, and leaves nothing",
    async () => {
      const before = takeSnapshot([]);
      for (const wait of [0, 2, 4, 6, 8, 10, 12, 15]) {
        const child = start(["sandbox", "--json", "--", "sleep", "30"]);
        await Bun.sleep(wait);
        child.kill("SIGTERM");
        const text = await child.stdout.text();
        await child.exited;
        if (text === "") expect(child.signalCode).toBe("SIGTERM");
        else expect(parseResult(text).cause).toBe("cancelled");
      }
      expect(await leftSince(before, [])).toEqual([]);
    },
    patient(30_000),
  );

  test("SIGUSR1 and SIGUSR2 are the task's own: it gets each of them, in its group, and the run goes on", async () => {
    const wait = "while ! [ -e /tmp/two ]; do sleep 0.02; done";
    const child = `trap "echo child" USR1; trap "" USR2; echo ready; ${wait}`;
    const task = `trap 'echo one' USR1; trap 'echo two; : > /tmp/two' USR2; sh -c '${child}' & ${wait}; wait; exit 7`;
    const { exitCode, result, stdout } = await signalled(["sh", "-c", task], "SIGUSR1", "SIGUSR2");
    expect(stdout.split("\n").sort()).toEqual(["", "child", "one", "ready", "two"]);
    expect({ exitCode, status: result.status, cause: result.cause }).toEqual({
      exitCode: 7,
      status: "failed",
      cause: "exit",
    });
  });

  test.each([
    ["SIGUSR1", 10],
    ["SIGUSR2", 12],
  ] as const)(
    "%s ends a task that doesn't listen, as anywhere, and SIGTERM still cancels one that does",
    async (name, number) => {
      const died = await signalled(["sh", "-c", "echo ready; exec sleep 30"], name);
      expect({ exitCode: died.exitCode, cause: died.result.cause, signal: died.result.signal }).toEqual({
        exitCode: 128 + number,
        cause: "signal",
        signal: name,
      });
      const cancelled = await signalled(
        ["sh", "-c", `trap '' ${name.slice(3)}; echo ready; exec sleep 30`],
        name,
        "SIGTERM",
      );
      expect([cancelled.exitCode, cancelled.result.cause]).toEqual([143, "cancelled"]);
    },
  );

  test.each(["none", "filtered"])(
    "SIGUSR1 before the task has started waits for it, or is rauha's own end, and leaves nothing (network %s)",
    async (network) => {
      const before = takeSnapshot([]);
      for (const wait of [0, 2, 4, 6, 8, 10, 12, 15, 25]) {
        const child = start(["sandbox", "--json", "--network", network, "--", "sleep", "30"]);
        await Bun.sleep(wait);
        child.kill("SIGUSR1");
        const text = await child.stdout.text();
        await child.exited;
        if (text === "") expect(child.signalCode).toBe("SIGUSR1");
        else expect(parseResult(text)).toMatchObject({ cause: "signal", signal: "SIGUSR1" });
      }
      expect(await leftSince(before, [])).toEqual([]);
    },
    patient(60_000),
  );

  test("SIGPIPE, SIGWINCH, SIGCHLD and SIGCONT do nothing to it", async () => {
    const { exitCode, result } = await signalled(
      ["sh", "-c", "echo ready; sleep 0.5; exit 6"],
      "SIGWINCH",
      "SIGCHLD",
      "SIGCONT",
      "SIGPIPE",
    );
    expect({ exitCode, cause: result.cause }).toEqual({ exitCode: 6, cause: "exit" });
  });

  test(
    "that the task answers by exiting at once is its exit code every time, however busy the machine",
    async () => {
      const ends: (number | null)[] = [];
      for (let round = 0; round < 12; round++) {
        const runs = Array.from({ length: 8 }, () => signalled([PROBE, "await-signal", "30"], "SIGINT"));
        ends.push(...(await Promise.all(runs)).map(({ result }) => result.exit_code));
      }
      expect(ends).toEqual(ends.map(() => 0));
    },
    patient(60_000),
  );
});
