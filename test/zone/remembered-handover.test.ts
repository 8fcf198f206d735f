/**
 * A remembered start whose end is not plain: the runtime takes the zone over from the front, and what comes of it is what comes of a planned
 * start.
 */
import { describe, expect, test } from "bun:test";
import { leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { hasMemoryCgroup, needs, patient } from "../support/identity.ts";
import { type Caller, callerEnvironment, parseResult, RAUHA, rauha, start } from "../support/rauha.ts";
import { both, canTell, lasting, planned, warm, words } from "../support/starts.ts";

const tells = needs("strace", canTell);
const sh = (script: string) => ["sh", "-c", script];
const perl = (text: string) => ["perl", "-e", text];

/** Begun by the front, ended by the runtime, and the same as planned. */
async function expectAdopted(flags: readonly string[], command: readonly string[], caller: Caller = {}) {
  const { remembered, planned: reference } = await both("adopted", flags, command, caller);
  expect(remembered.by).toBe("adopted");
  expect([remembered.exitCode, remembered.stderr]).toEqual([reference.exitCode, reference.stderr]);
  expect(lasting(remembered.stdout)).toBe(lasting(reference.stdout));
  return parseResult(remembered.stdout);
}

describe("handed over, and the same as planned:", () => {
  tells("a task that lasts", async () => {
    const result = await expectAdopted([], sh("echo a; sleep 0.3; echo b; exit 7"));
    expect(result).toMatchObject({ exit_code: 7, stdout: "a\nb\n" });
    expect(result.duration_ms).toBeWithin(300, patient(5000));
    expect(Date.parse(result.finished_at ?? "") - Date.parse(result.started_at ?? "")).toBeGreaterThanOrEqual(300);
  });

  tells("a denied system call is in the result", async () => {
    // keyctl(2), bpf(2)
    const numbers = process.arch === "arm64" ? [219, 280] : [250, 321];
    const result = await expectAdopted([], perl(`syscall($_, 0, 0, 0) for ${numbers.join(", ")}; exit 4`));
    expect(result.enforcement_events.length).toBeGreaterThan(0);
  });

  tells("more output than the front keeps, and more than is allowed", async () => {
    const result = await expectAdopted([], perl('print "x" x 300_000; print STDERR "y" x 300_000'));
    expect([result.stdout_bytes, result.stderr_bytes, result.stdout_truncated]).toEqual([300_000, 300_000, false]);
    const flags = ["--max-output", "1000"];
    expect((await expectAdopted(flags, perl('print "x" x 5000'))).stdout_truncated).toBe(true);
  });

  tells("output that is not UTF-8", async () => {
    for (const bytes of ["\\xff", "\\xed\\xa0\\x80", "\\xc0\\x80", "\\xe2\\x80", "\\xf4\\x90\\x80\\x80"]) {
      const result = await expectAdopted([], perl(`print "a${bytes}"`));
      expect(Buffer.from(result.stdout_base64 ?? "", "base64").toString("hex")).toBe(
        `61${bytes.replaceAll("\\x", "")}`,
      );
    }
  });

  tells("death by a signal", async () => {
    expect(await expectAdopted([], sh("kill -KILL $$"))).toMatchObject({ cause: "signal", signal: "SIGKILL" });
    expect(await expectAdopted([], sh("kill -SEGV $$"))).toMatchObject({ cause: "signal", signal: "SIGSEGV" });
  });

  tells("a command that is not there, or can't be executed", async () => {
    const none = await both("adopted", [], ["/no/such/command"]);
    expect(none.remembered.exitCode).toBe(127);
    expect(lasting(none.remembered.stdout)).toBe(lasting(none.planned.stdout));
    const other = await both("adopted", [], ["/etc/passwd"]);
    expect(other.remembered.exitCode).toBe(126);
    expect([none, other].map(({ remembered }) => remembered.by)).toEqual(["adopted", "adopted"]);
    expect([none, other].map(({ remembered }) => remembered.stderr)).toEqual(
      [none, other].map((pair) => pair.planned.stderr),
    );
    expect(lasting(other.remembered.stdout)).toBe(lasting(other.planned.stdout));
  });

  tells("standard input that never ends", async () => {
    const caller = { stdin: "pipe" } as const;
    const result = await expectAdopted(["--timeout", "1s", "-i"], ["cat"], caller);
    expect(result.cause).toBe("timeout");
  });

  tells("memory that runs out, and processes that do", async () => {
    const flags = ["--memory", "40Mi", "--pids", "12"];
    // Without a cgroup it is the task that is told, and it ends by itself.
    const whenHungry = hasMemoryCgroup ? "adopted" : "front";
    const hungry = await both(whenHungry, flags, perl('my $x = "x" x 400_000_000; print length $x'));
    expect(hungry.remembered.exitCode).toBe(hungry.planned.exitCode);
    expect(hungry.remembered.by).toBe(whenHungry);
    expect(parseResult(hungry.remembered.stdout).cause).toBe(parseResult(hungry.planned.stdout).cause);
    const bomb = perl(
      "my $n = 0; for (1..200) { my $p = fork; last unless defined $p; if (!$p) { sleep 1; exit } $n++ } print $n; kill 9, -1",
    );
    const bombed = await both("adopted", flags, bomb);
    expect(bombed.remembered.exitCode).toBe(bombed.planned.exitCode);
    expect(parseResult(bombed.remembered.stdout).stdout).toBe(parseResult(bombed.planned.stdout).stdout);
  });
});

describe("a signal to rauha", () => {
  for (const [name, number] of [
    ["SIGTERM", 15],
    ["SIGINT", 2],
    ["SIGHUP", 1],
  ] as const) {
    tells(`${name} is heard whoever is at work, and nothing stays`, async () => {
      await warm([]);
      const command = sh("trap 'exit 9' TERM INT HUP; sleep 30 & wait");
      const ended = async (after: number, caller: Caller) => {
        const child = start(words([], command), caller);
        await Bun.sleep(after);
        child.kill(name);
        const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
        return { exitCode: await child.exited, stderr, cause: parseResult(stdout).cause };
      };
      const before = takeSnapshot([]);
      const reference = await ended(patient(300), planned());
      expect(reference).toEqual({ exitCode: 128 + number, stderr: "", cause: "cancelled" });
      for (const after of [20, 60, 150]) expect(await ended(patient(after), {})).toEqual(reference);
      expect(await leftSince(before, [])).toEqual([]);
    });
  }
});

describe("SIGUSR1 to rauha", () => {
  tells("is the task's, whoever is at work", async () => {
    await warm([]);
    const command = sh("trap 'exit 9' USR1; sleep 30 & wait");
    for (const after of [60, 150]) {
      const child = start(words([], command));
      await Bun.sleep(patient(after));
      child.kill("SIGUSR1");
      expect(parseResult(await child.stdout.text())).toMatchObject({ cause: "exit", exit_code: 9 });
      expect(await child.exited).toBe(9);
    }
  });
});

describe("a reader of the result that is gone", () => {
  test("is told of as by the runtime, with its exit code", async () => {
    const ended = async (command: readonly string[], start: string) => {
      const child = Bun.spawn(
        ["sh", "-c", '{ sleep 0.2; "$@"; echo "$?" >&2; } | :', "sh", RAUHA, ...words([], command)],
        {
          cwd: "/",
          env: { ...callerEnvironment(), RAUHA_START: start },
          stdio: ["ignore", "ignore", "pipe"],
        },
      );
      return child.stderr.text();
    };
    for (const command of [["true"], ["false"], sh("exit 5")]) {
      await rauha(words([], command));
      const reference = await ended(command, "planned");
      expect(reference).not.toContain("\n0\n");
      expect(await ended(command, "")).toBe(reference);
    }
  });

  tells("and of a part of it that was read", async () => {
    await warm([]);
    const command = perl('print "x" x 150_000');
    const ended = async (start: string) => {
      const script = '{ "$@"; echo "$?" >&2; } | { head -c 10 > /dev/null; sleep 0.2; }';
      const child = Bun.spawn(["bash", "-c", script, "sh", RAUHA, ...words([], command)], {
        cwd: "/",
        env: { ...callerEnvironment(), RAUHA_START: start },
        stdio: ["ignore", "ignore", "pipe"],
      });
      return child.stderr.text();
    };
    const reference = await ended("planned");
    expect(reference).toMatch(/the result can't be written: nobody reads it any more \(EPIPE\)\n1\n$/);
    for (let time = 0; time < 3; time++) expect(await ended("")).toBe(reference);
  });
});
