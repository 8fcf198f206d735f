/** The zone's terminal, at a caller's terminal and without one. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { control, type ReportRecord } from "../../src/run/plan/contract.ts";
import { ReportDecoder } from "../../src/run/plan/decode-report.ts";
import { encodePlan } from "../../src/run/plan/encode.ts";
import { asRunner, launch, launcher, runners } from "./launch.ts";
import { type PlanParts, plan, type Runner } from "./plans.ts";

const directory = mkdtempSync(join(tmpdir(), "rauha-test-pty-"));
chmodSync(directory, 0o777);
afterAll(() => rmSync(directory, { recursive: true }));
let sessions = 0;

interface Session {
  readonly screen: () => string;
  readonly type: (text: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** Waits until the screen shows this. */
  readonly see: (text: string) => Promise<void>;
  readonly say: (kind: number, value?: number) => void;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Waits for the shell around the launcher: what it read and printed afterwards is on the screen. */
  readonly end: () => Promise<readonly ReportRecord[]>;
}

/** Runs the launcher as the foreground job of a shell at a terminal; the shell says afterwards how the terminal is set. */
async function atTerminal(runner: Runner, parts: Omit<PlanParts, "runner">): Promise<Session> {
  const base = join(directory, `session${sessions++}`);
  writeFileSync(`${base}.plan`, encodePlan(plan({ runner, ...parts })));
  chmodSync(`${base}.plan`, 0o644);
  writeFileSync(`${base}.report`, "");
  chmodSync(`${base}.report`, 0o666);
  Bun.spawnSync(["mkfifo", "-m", "666", `${base}.control`]);
  const fds = `4<&0 5>&1 6>&2 3<${base}.plan 0<${base}.control 1>>${base}.report 2>${base}.errors`;
  const command = [...asRunner(runner), launcher].join(" ");
  const script = `sh -c 'echo $$ > ${base}.pid; exec ${command} ${fds}'; stty -a | grep -o '[-]*icanon\\|[-]*echo ' | tr -d '\\n'; echo over`;
  let screen = "";
  const terminal = new Bun.Terminal({
    cols: 91,
    rows: 31,
    data: (_: unknown, data: Uint8Array) => {
      screen += new TextDecoder().decode(data);
    },
  });
  const shell = Bun.spawn(["setsid", "--ctty", "--wait", "sh", "-c", script], {
    terminal,
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", TERM: "xterm" },
  });
  const controlFd = openSync(`${base}.control`, "w");
  const see = async (text: string) => {
    const end = performance.now() + 10_000;
    while (!screen.includes(text)) {
      if (performance.now() > end) throw new Error(`never seen: ${text}\n${screen}`);
      await Bun.sleep(2);
    }
  };
  return {
    screen: () => screen,
    type: (text) => void terminal.write(text),
    resize: (columns, rows) => void terminal.resize(columns, rows),
    see,
    say: (kind, value = 0) => {
      Bun.write(Bun.file(controlFd), new Uint8Array([kind, value]));
    },
    kill: (signal) => void process.kill(Number(readFileSync(`${base}.pid`, "utf8")), signal),
    end: async () => {
      await see("over");
      await shell.exited;
      terminal.close();
      closeSync(controlFd);
      return new ReportDecoder().push(readFileSync(`${base}.report`));
    },
  };
}

const interactive = { mode: "pty", stdin: true } as const;
const restored = "icanonecho over";

describe.each(runners)("as %s", (runner) => {
  test("a terminal of the zone's own, of the caller's size, which follows", async () => {
    const script = "tty; stty size; ls /dev/pts | tr '\\n' ' '; echo ready; read x; stty size";
    const session = await atTerminal(runner, { argv: ["sh", "-c", script], io: interactive });
    await session.see("ready");
    expect(session.screen()).toContain("/dev/pts/0\r\n31 91\r\n0 ptmx ");
    session.resize(120, 50);
    await Bun.sleep(60);
    session.type("\r");
    await session.see("50 120");
    const records = await session.end();
    expect(records.find(({ record }) => record === "ended")).toMatchObject({ status: 0 });
    expect(session.screen()).toContain(restored);
  });

  test("keys come through as they are: ^C is the task's", async () => {
    const script = "trap 'echo caught' INT; echo ready; read x; echo [$x]";
    const session = await atTerminal(runner, { argv: ["bash", "-c", script], io: interactive });
    await session.see("ready");
    session.type("\x03");
    await session.see("caught");
    session.type("hello\r");
    await session.see("[hello]");
    const records = await session.end();
    expect(records.find(({ record }) => record === "ended")).toMatchObject({ status: 0, cause: 0 });
    expect(session.screen()).toContain(restored);
  });

  test("much output arrives whole, and its end too", async () => {
    const session = await atTerminal(runner, { argv: ["seq", "1", "20000"], io: interactive });
    await session.end();
    expect(session.screen().endsWith(`\n19999\r\n20000\r\n${restored}\r\n`)).toBe(true);
    expect(session.screen().split("\n").length).toBeGreaterThanOrEqual(20_000);
  });

  test("the terminal is given back when the zone is killed, and when the supervisor is told to", async () => {
    const session = await atTerminal(runner, { argv: ["sh", "-c", "echo ready; sleep 60"], io: interactive });
    await session.see("ready");
    session.say(control.kill);
    const records = await session.end();
    expect(records.find(({ record }) => record === "ended")).toMatchObject({ status: 9, cause: 3 });
    expect(session.screen()).toContain(restored);
  });

  test("signals that a terminal sends its foreground job don't harm the supervisor", async () => {
    const session = await atTerminal(runner, { argv: ["sh", "-c", "echo ready; read x; echo [$x]"], io: interactive });
    await session.see("ready");
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"] as const) {
      if (runner === "user" && process.getuid?.() !== 0) break;
      session.kill(signal);
    }
    session.type("still\r");
    await session.see("[still]");
    await session.end();
  });

  test("without -i nothing is read, and the terminal stays as it is", async () => {
    const session = await atTerminal(runner, { argv: ["sh", "-c", "echo hi; stty size"], io: { mode: "pty" } });
    await session.end();
    expect(session.screen()).toMatch(/hi\r+\n31 91\r+\n/);
    expect(session.screen()).toContain(restored);
  });

  test("stream mode at a terminal: relayed through pipes, never handed in", async () => {
    const script = "readlink /proc/self/fd/0 /proc/self/fd/1 | cut -d: -f1; read x; echo [$x]; cat; echo end";
    const session = await atTerminal(runner, { argv: ["sh", "-c", script], io: { mode: "stream", stdin: true } });
    await session.see("pipe\r\npipe");
    session.type("hello\r");
    await session.see("[hello]");
    session.type("more\r");
    await session.see("more\r\nmore");
    session.type("\x04");
    await session.see("end");
    await session.end();
    expect(session.screen()).toContain(restored);
  });

  test("without a terminal: input from a file, its end as ^D", async () => {
    const [input, output] = [join(directory, "input"), join(directory, `output-${runner}`)];
    writeFileSync(input, "one\ntwo\nthree");
    const [stdin, stdout] = [openSync(input, "r"), openSync(output, "w")];
    const ops = plan({ runner, argv: ["sh", "-c", "stty -echo; cat; echo; echo end"], io: interactive });
    const { one } = await launch(ops, { runner, stdin, stdout });
    closeSync(stdin);
    closeSync(stdout);
    expect(one("ended")).toMatchObject({ status: 0 });
    expect(readFileSync(output, "utf8").replaceAll("\r", "")).toContain("two\nthree\nend\n");
  });

  test("the terminal belongs to the task's user", async () => {
    const uid = runner === "root" ? 7 : undefined;
    const session = await atTerminal(runner, {
      argv: ["sh", "-c", "id -u; stat -c '%u' $(tty); echo x > /dev/tty && echo ok"],
      io: interactive,
      ...(uid === undefined ? {} : { uid }),
    });
    await session.end();
    const lines = session.screen().split("\r\n");
    expect(lines[0]).toBe(lines[1]);
    expect(session.screen()).toContain("x\r\nok");
  });

  test("a terminal without a devpts is a plain error", async () => {
    const ops = plan({ runner, argv: ["true"], io: interactive }).filter(({ op }) => op !== "devpts");
    const { one } = await launch(ops, { runner });
    expect(one("failed")).toMatchObject({ errno: 2, detail: "a terminal needs a devpts op" });
  });
});
