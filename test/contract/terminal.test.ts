/** rauha at a terminal: a terminal of the zone's own for the task, and the caller's left as it was found. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { patient } from "../support/identity.ts";
import { PROBE, probeBind } from "../support/probe.ts";
import { RAUHA } from "../support/rauha.ts";
import { atTerminal } from "../support/terminal.ts";

const inZone = (flags: readonly string[], command: readonly string[]) => [
  RAUHA,
  "sandbox",
  ...probeBind,
  ...flags,
  "--",
  ...command,
];

/** Processes whose command line has these words. */
function processesWith(...words: string[]): number[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return words.every((word) => line.includes(word));
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** The file that a process runs; undefined once it has ended. */
function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

describe("-t", () => {
  test("puts the caller's terminal back when the supervisor is killed", async () => {
    const token = `token-${crypto.randomUUID()}`;
    const steps = ["expect:ready", "mode", "expect:lost"];
    const session = atTerminal(steps, [
      "sh",
      "-c",
      '"$@" || echo lost',
      "sh",
      ...inZone(["-it"], ["sh", "-c", "echo ready; sleep 60", token]),
    ]);
    let killed = false;
    for (const start = Date.now(); !killed && Date.now() - start < 15_000; await Bun.sleep(50)) {
      // Only rauha itself: the shell and the terminal's program have the same words in their command lines.
      const [rauhaPid] = processesWith(RAUHA, token).filter((pid) => programOf(pid) === realpathSync(RAUHA));
      const inside = processesWith("sleep", "60").length > 0;
      if (rauhaPid === undefined || !inside) continue;
      const children = readFileSync(`/proc/${rauhaPid}/task/${rauhaPid}/children`, "utf8").trim().split(" ");
      // Not before the terminal is raw.
      await Bun.sleep(500);
      for (const pid of children) process.kill(Number(pid), "SIGKILL");
      killed = children.length > 0;
    }
    const { modes, failed } = await session;
    expect({ killed, modes, failed }).toEqual({
      killed: true,
      modes: ["raw,silent", "canonical,echo"],
      failed: undefined,
    });
  });

  test("gives the task a terminal of the zone's own, of the caller's size", async () => {
    const { screen, end } = await atTerminal([], inZone(["-it"], [PROBE, "tty"]));
    expect(end).toBe("exit 0");
    expect(screen).toContain("terminals=111");
    expect(screen).toContain("size=24x80");
    expect(screen).toContain("canonical=1");
    expect(screen).toContain("name=/dev/pts/0");
    expect(screen).toContain("foreground=1");
  });

  test("passes keys in and what the task prints out", async () => {
    const steps = ["expect:name?", "send:Aino\\r", "expect:hello Aino"];
    const { failed, end, modes } = await atTerminal(
      steps,
      inZone(["-it"], ["sh", "-c", "printf 'name? '; read n; echo hello $n"]),
    );
    expect({ failed, end, modes }).toEqual({ failed: undefined, end: "exit 0", modes: ["canonical,echo"] });
  });

  test("makes the caller's terminal raw meanwhile, and puts it back", async () => {
    const steps = ["expect:ready", "mode", "send:\\r"];
    const { modes, end } = await atTerminal(steps, inZone(["-it"], ["sh", "-c", "echo ready; read x"]));
    expect({ modes, end }).toEqual({ modes: ["raw,silent", "canonical,echo"], end: "exit 0" });
  });

  test(
    "puts it back after the task was killed, failed, ran out of time or could not start",
    async () => {
      const cases: readonly (readonly [flags: string[], command: string[], end: string])[] = [
        [[], ["sh", "-c", "kill -9 $$"], "exit 137"],
        [[], ["false"], "exit 1"],
        [["--timeout", "300ms"], ["sleep", "60"], "exit 124"],
        [[], ["no-such-command-here"], "exit 127"],
        [["--ro-bind", "/no/such/path"], ["true"], "exit 125"],
      ];
      for (const [flags, command, end] of cases) {
        const session = await atTerminal([], inZone(["-it", ...flags], command));
        expect({ command, end: session.end, mode: session.modes.at(-1) }).toEqual({
          command,
          end,
          mode: "canonical,echo",
        });
      }
    },
    patient(60_000),
  );

  test("puts it back after SIGTERM", async () => {
    const steps = ["expect:ready", "signal:15"];
    const { modes, end } = await atTerminal(steps, inZone(["-it"], ["sh", "-c", "echo ready; sleep 60"]));
    expect({ modes, end }).toEqual({ modes: ["canonical,echo"], end: "exit 143" });
  });

  test("puts it back after SIGKILL", async () => {
    const steps = ["expect:ready", "signal:9", "wait:500"];
    const { modes, end } = await atTerminal(steps, inZone(["-it"], ["sh", "-c", "echo ready; sleep 60"]));
    expect({ modes, end }).toEqual({ modes: ["canonical,echo"], end: "signal 9" });
  });

  test("sends ^C to the task, not to rauha", async () => {
    const script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done";
    const { screen, end } = await atTerminal(
      ["expect:ready", "send:\\x03", "expect:caught"],
      inZone(["-it"], ["sh", "-c", script]),
    );
    expect(screen).toContain("caught");
    expect(end).toBe("exit 9");
  });

  test("ends a task that does not catch ^C as a shell would", async () => {
    // Not while the shell forks: dash forgets a ^C that comes just then.
    const { end } = await atTerminal(
      ["expect:ready", "wait:500", "send:\\x03"],
      inZone(["-it"], ["sh", "-c", "echo ready; exec sleep 60"]),
    );
    expect(end).toBe("exit 130");
  });

  test("sends ^D as the end of input", async () => {
    const { end } = await atTerminal(
      ["wait:200", "send:words\\r", "expect:words", "send:\\x04"],
      inZone(["-it"], ["cat"]),
    );
    expect(end).toBe("exit 0");
  });

  test("follows the window's size", async () => {
    const { screen } = await atTerminal(
      ["expect:ready", "resize:40x100"],
      inZone(["-it"], [PROBE, "await-resize", "10"]),
    );
    expect(screen).toContain("OK 24x80 40x100");
  });

  test("job control works: the shell inside owns its terminal", async () => {
    const steps = ["wait:300", "send:echo $((6*7))\\r", "expect:42", "send:exit 5\\r"];
    const { failed, end, screen } = await atTerminal(steps, inZone(["-it"], ["bash", "--norc", "-i"]));
    expect({ failed, end }).toEqual({ failed: undefined, end: "exit 5" });
    expect(screen).not.toContain("job control");
  });

  test("ends when the window is closed", async () => {
    const { end } = await atTerminal(["expect:ready", "hangup"], inZone(["-it"], ["sh", "-c", "echo ready; sleep 60"]));
    expect(end).not.toBe("never");
  });

  test("prints no JSON on the terminal", async () => {
    const { screen } = await atTerminal([], inZone(["-it"], ["echo", "words"]));
    expect(screen).toContain("words\r\n");
    expect(screen).not.toContain('"schema"');
  });
});

describe("without -t, at a terminal", () => {
  test("the task gets no terminal and reads nothing from it", async () => {
    const { screen, end } = await atTerminal([], inZone([], [PROBE, "tty", "+", "stdin"]));
    expect(screen).toContain("terminals=000");
    expect(screen).toContain("stdin: OK 0");
    expect(end).toBe("exit 0");
  });

  test("the result is words for people", async () => {
    const { screen } = await atTerminal([], inZone([], ["echo", "words"]));
    expect(screen).toContain("words\r\n");
    expect(screen).toMatch(/rauha: .*succeeded/);
    expect(screen).not.toContain('"schema"');
  });

  test("--json is JSON all the same", async () => {
    const { screen } = await atTerminal([], inZone(["--json"], ["echo", "words"]));
    expect(screen).toContain('"stdout":"words\\n"');
  });

  test("^C cancels the zone: 130, the terminal as it was", async () => {
    const { end, modes } = await atTerminal(
      ["wait:400", "send:\\x03"],
      inZone(["--no-json"], ["sh", "-c", "sleep 60"]),
    );
    expect({ end, modes }).toEqual({ end: "exit 130", modes: ["canonical,echo"] });
  });
});

describe("-i without -t, at a terminal", () => {
  test("the task reads lines that are typed, through no terminal of its own", async () => {
    const steps = ["expect:ready", "send:typed\\r", "expect:got typed"];
    const { failed, end } = await atTerminal(
      steps,
      inZone(["-i", "--stream"], ["sh", "-c", "echo ready; read x; echo got $x"]),
    );
    expect({ failed, end }).toEqual({ failed: undefined, end: "exit 0" });
  });
});

describe("-t without a terminal", () => {
  test("still gives the task one", async () => {
    const child = Bun.spawn(inZone(["-t"], [PROBE, "tty"]), { cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
    const text = await child.stdout.text();
    expect(await child.exited).toBe(0);
    expect(text).toContain("terminals=111");
  });
});
