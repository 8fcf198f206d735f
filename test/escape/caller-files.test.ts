/**
 * Descriptors of the caller's: leaked ones (CVE-2024-21626), ones that are reopened with other rights, the program itself as a file
 * (CVE-2019-5736), one's own terminal.
 */
import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { descendantsOf, processes } from "../support/host-snapshot.ts";
import { expectAllowed, expectDenied } from "../support/layers.ts";
import { asRecord, attemptWords, PROBE, parseAnswers, probeBind, probePath } from "../support/probe.ts";
import { RAUHA, sandbox, start, tryInZone } from "../support/rauha.ts";
import { atTerminal } from "../support/terminal.ts";

describe("CVE-2024-21626: a descriptor of a host folder that leaks", () => {
  test("is closed before the task: no way up through /proc/self/fd or as the start directory", async () => {
    const folder = openSync("/", "r");
    const numbers = Array.from({ length: 60 }, (_, index) => index + 3);
    const tried = await tryInZone(
      numbers.flatMap((fd) => [
        `fchdir ${fd}`,
        `open r /proc/self/fd/${fd}/etc/shadow`,
        `open r /proc/self/fd/${fd}/../../etc/shadow`,
      ]),
      [],
      { fds: [folder, folder, folder] },
    );
    closeSync(folder);
    for (const { attempt, outcome } of tried.answers) expect(`${attempt}: ${outcome}`).toMatch(/: (EBADF|ENOENT)$/);
    expectAllowed(await tryInZone(["open dir /", "fchdir 3"]), "open dir /", "fchdir 3");
  });

  test("can't be named as the start directory", async () => {
    for (let fd = 0; fd < 32; fd++) {
      const { exitCode, result } = await sandbox(["--workdir", `/proc/self/fd/${fd}`], ["pwd"]);
      expect({ fd, exitCode, origin: result.error?.origin }).toEqual({ fd, exitCode: 125, origin: "--workdir" });
    }
  });

  test("the task's own directory is inside the zone, and .. ends at its root", async () => {
    const tried = await tryInZone(["chdir ../../../../../../..", ["open", "r", "etc/shadow"], "list ."]);
    expect(tried.answers[0]?.items).toEqual(["/"]);
    expectDenied(tried, "open r etc/shadow", "view");
    expect(tried.answers[2]?.items).not.toContain("root");
  });
});

describe("a file on stdin", () => {
  test("is not the file itself inside: what is opened anew by its number is a pipe, and the file stays as it was", async () => {
    const file = join(writeFiles(makeFolder("stdin"), { input: "as it was\n" }), "input");
    const words = attemptWords([
      "fds",
      "reopen-fd 0 rw",
      "reopen-fd 0 w",
      "open w /dev/stdin",
      ["write", "/proc/self/fd/0", "x"],
    ]);
    for (const mode of ["--stream", "-i"]) {
      const fd = openSync(file, "r");
      const child = start(["sandbox", mode, ...probeBind, "--", PROBE, ...words], { stdin: fd });
      const text = await child.stdout.text();
      await child.exited;
      closeSync(fd);
      const answers = parseAnswers(mode === "-i" ? (JSON.parse(text) as { stdout: string }).stdout : text);
      expect(answers).toHaveLength(5);
      expect(asRecord(answers[0]?.items ?? [])["0"]).toMatch(/^pipe:/);
      expect(readFileSync(file, "utf8")).toBe("as it was\n");
    }
  });

  test("nor is a log on stdout that is open for appending only: nothing of it can be read, cut or overwritten", async () => {
    const file = join(writeFiles(makeFolder("stdout"), { log: "first line\n" }), "log");
    const fd = openSync(file, "a");
    const words = attemptWords([
      "truncate /proc/self/fd/1 0",
      ["write", "/dev/stdout", "over"],
      "reopen-fd 1 r",
      "read-fd 1",
    ]);
    const child = Bun.spawn([RAUHA, "sandbox", "--stream", ...probeBind, "--", PROBE, ...words], {
      cwd: "/",
      stdio: ["ignore", fd, "ignore"],
    });
    expect(await child.exited).toBe(0);
    closeSync(fd);
    expect(readFileSync(file, "utf8")).toStartWith("first line\ntruncate /proc/self/fd/1 0: E");
  });

  test("is readable, which is what it was given for", async () => {
    const file = join(writeFiles(makeFolder("stdin"), { input: "as it was\n" }), "input");
    const fd = openSync(file, "r");
    const { result } = await sandbox(["-i"], ["cat"], { stdin: fd });
    closeSync(fd);
    expect(result.stdout).toBe("as it was\n");
  });

  test("that is a folder is no way to its neighbours", async () => {
    const folder = writeFiles(makeFolder("stdin-folder"), { "inside.txt": "i" });
    const fd = openSync(folder, "r");
    const target = join(makeFolder("result"), "result.json");
    const child = start(
      [
        "sandbox",
        "--stream",
        "--result",
        target,
        ...probeBind,
        "--",
        PROBE,
        "openat",
        "0",
        "r",
        "../",
        "+",
        "fchdir",
        "0",
        "+",
        "list",
        "/proc/self/cwd/..",
        "+",
        "openat",
        "0",
        "r",
        "inside.txt",
      ],
      { stdin: fd },
    );
    const answers = parseAnswers(await child.stdout.text());
    await child.exited;
    closeSync(fd);
    for (const { attempt, outcome, items } of answers) {
      if (attempt.startsWith("fchdir")) expect(outcome).toBeOneOf(["OK", "EACCES", "ENOTDIR"]);
      if (outcome === "OK" && attempt.startsWith("list")) expect(items).not.toContain("root");
    }
    // It is not handed in, or Landlock knows no rule for it: nothing below can be opened, by whatever way.
    for (const attempt of ["openat 0 r inside.txt", "openat 0 r ../"]) {
      expect(answers.find((answer) => answer.attempt === attempt)?.outcome, attempt).toBeOneOf(["EACCES", "ENOTDIR"]);
    }
  });
});

describe("CVE-2019-5736: the runtime's own program", () => {
  test("is nowhere to be opened: not by /proc/self/exe of an exec, not by pid 1", async () => {
    const tried = await tryInZone([
      "open w /proc/self/exe",
      "open r /proc/1/exe",
      "readlink /proc/1/exe",
      "exec /proc/1/exe",
      "readlink /proc/self/exe",
    ]);
    expect(tried.answers[0]?.outcome).toBeOneOf(["ETXTBSY", "EROFS", "EACCES"]);
    for (const attempt of ["open r /proc/1/exe", "readlink /proc/1/exe", "exec /proc/1/exe"]) {
      expect(tried.answers.find((answer) => answer.attempt === attempt)?.outcome, attempt).toBeOneOf([
        "EACCES",
        "EPERM",
      ]);
    }
    expect(tried.answers.at(-1)).toMatchObject({ outcome: "OK", items: [PROBE] });
  });

  test("is a sealed memfd: not even its owner on the host can write to it", async () => {
    const child = start(["sandbox", "--", "sleep", "30"]);
    try {
      const launcher = await findLauncher(child.pid);
      const exe = `/proc/${launcher}/exe`;
      expect(readlinkSync(exe)).toMatch(/^\/memfd:rauha-launcher/);
      expect(() => openSync(exe, "r+")).toThrow(/ETXTBSY|EPERM|EACCES/);
      expect(() => writeFileSync(exe, "x")).toThrow(/ETXTBSY|EPERM|EACCES/);
      closeSync(openSync(exe, "r"));
    } finally {
      child.kill("SIGTERM");
      await child.exited;
    }
  });

  test("stays as it was, whatever a task does to what it can reach", async () => {
    const before = Bun.hash(readFileSync(RAUHA));
    await tryInZone(["write /proc/self/exe x", "open w /proc/self/exe", "exec-fd 0"], []).catch(() => undefined);
    expect(Bun.hash(readFileSync(RAUHA))).toBe(before);
    expect(Bun.spawnSync([probePath, "self"]).exitCode).toBe(0);
  });
});

describe("the caller's terminal", () => {
  test("can't be found, stolen or typed into by a task with streams of the caller's", async () => {
    const attempts = ["open rw /dev/tty", "sti /dev/tty x", "sti - x", "steal-tty /proc/self/fd/0", "tty"];
    const words = attempts.flatMap((attempt, index) => [...(index ? ["+"] : []), ...attempt.split(" ")]);
    const { screen } = await atTerminal([], [RAUHA, "sandbox", "--stream", ...probeBind, "--", PROBE, ...words]);
    const answers = parseAnswers(screen.replaceAll("\r", ""));
    expect(answers).toHaveLength(attempts.length);
    expect(answers[0]?.outcome).toBeOneOf(["ENXIO", "EACCES"]);
    for (const { attempt, outcome } of answers.slice(1, 3))
      expect(`${attempt}: ${outcome}`).toMatch(/: (EPERM|EACCES|ENXIO|ENOTTY|EIO)$/);
    expect(answers[3]?.outcome).toMatch(/EPERM|EACCES|ENXIO|ENOTTY|EIO/);
  });

  test("CVE-2017-5226: keys pushed into the zone's own terminal don't come out at the caller's", async () => {
    const inside = [RAUHA, "sandbox", "-it", ...probeBind, "--", PROBE, "sti", "-", "echo pushed-out"];
    const { screen, end } = await atTerminal(
      ["wait:200"],
      ["sh", "-c", `${inside.map((word) => `'${word}'`).join(" ")}; read -t 1 line; echo "read:$line"`],
    );
    expect(screen).not.toContain("read:echo pushed-out");
    expect(end).toMatch(/exit/);
  });

  test("escape sequences of a task's output don't reach a terminal by way of the words for people", async () => {
    const { screen } = await atTerminal(
      [],
      [RAUHA, "sandbox", "--no-json", "--", "\u001b]0;title\u0007no-such-command"],
    );
    expect(screen).not.toContain("\u001b]0;");
  });
});

async function findLauncher(pid: number): Promise<number> {
  for (const end = performance.now() + 10_000; performance.now() < end; await Bun.sleep(5)) {
    const launcher = processes().find((process) => process.parent === pid && readExe(process.pid).includes("memfd"));
    if (launcher !== undefined && descendantsOf(launcher.pid).length > 0) return launcher.pid;
  }
  throw new Error("no launcher below rauha");
}

function readExe(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return "";
  }
}
