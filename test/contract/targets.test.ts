/** Where the result goes: --json, --no-json, --result, --result-fd, --stream, and what else stands on stdout and stderr. */
import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { parseResult, RAUHA, rauha } from "../support/rauha.ts";
import { mkfifoSync } from "../support/special-files.ts";

const noisy = ["sh", "-c", "echo out; echo err >&2; exit 3"];

describe("without an option, and stdout no terminal", () => {
  test("the result is on stdout and nothing is on stderr", async () => {
    const { exitCode, stdout, stderr } = await rauha(["sandbox", "--", ...noisy]);
    expect(exitCode).toBe(3);
    expect(parseResult(stdout)).toMatchObject({ stdout: "out\n", stderr: "err\n" });
    expect(stderr).toBe("");
  });
});

describe("--no-json", () => {
  test("passes the task's streams on and ends with one line on stderr", async () => {
    const { exitCode, stdout, stderr } = await rauha(["sandbox", "--no-json", "--", ...noisy]);
    expect(exitCode).toBe(3);
    expect(stdout).toBe("out\n");
    expect(stderr).toMatch(/^err\nrauha: [^\n]*exit code 3[^\n]*\n$/);
  });

  test("says in words why nothing ran", async () => {
    const { exitCode, stdout, stderr } = await rauha(["sandbox", "--no-json", "--", "no-such-command-here"]);
    expect(exitCode).toBe(127);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^rauha: .*no-such-command-here.*\n/);
  });

  test("shows a flood in full, whatever the result keeps", async () => {
    const { stdout } = await rauha(["sandbox", "--no-json", "--max-output", "10", "--", "seq", "1000"]);
    expect(stdout.startsWith("1\n2\n3\n4\n5\n")).toBe(true);
  });
});

describe("--stream", () => {
  test("makes the task's streams the caller's own: no JSON among them", async () => {
    const { exitCode, stdout, stderr } = await rauha(["sandbox", "--stream", "--", ...noisy]);
    expect(exitCode).toBe(3);
    expect(stdout).toBe("out\n");
    expect(stderr).toStartWith("err\n");
  });

  test("hands over the very file", async () => {
    const folder = makeFolder("stream");
    const file = join(folder, "log");
    const fd = openSync(file, "a");
    const child = Bun.spawn([RAUHA, "sandbox", "--stream", "--", "echo", "line"], {
      cwd: "/",
      stdio: ["ignore", fd, fd],
    });
    expect(await child.exited).toBe(0);
    closeSync(fd);
    expect(readFileSync(file, "utf8")).toContain("line\n");
  });

  test("with --result: the output here, the result there, its streams null", async () => {
    const file = join(makeFolder("result"), "result.json");
    const { stdout } = await rauha(["sandbox", "--stream", "--result", file, "--", ...noisy]);
    expect(stdout).toBe("out\n");
    const result = parseResult(readFileSync(file, "utf8"));
    expect(result).toMatchObject({ stdout: null, stderr: null, stdout_bytes: null, exit_code: 3 });
  });

  test("reads the caller's stdin", async () => {
    const { stdout } = await rauha(["sandbox", "--stream", "--", "cat"], { stdin: new Blob(["from the caller"]) });
    expect(stdout).toBe("from the caller");
  });

  test("and --tty exclude each other", async () => {
    const { exitCode, stderr } = await rauha(["sandbox", "--stream", "--tty", "--", "true"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("--stream");
  });
});

describe("--result FILE", () => {
  test("gets what stdout gets, with --json", async () => {
    const file = join(makeFolder("result"), "result.json");
    const { stdout } = await rauha(["sandbox", "--json", "--result", file, "--", ...noisy]);
    expect(readFileSync(file, "utf8")).toBe(stdout);
    expect(statSync(file).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  test("is replaced whole, and is written for failures of every kind", async () => {
    const file = join(makeFolder("result"), "result.json");
    for (const args of [["--no-such-option"], ["--ro-bind", "/no/such"], ["--policy", "no-such"], []]) {
      writeFileSync(file, "x".repeat(100_000));
      await rauha(["sandbox", "--no-json", "--result", file, ...args, "--", "true"]);
      parseResult(readFileSync(file, "utf8"));
    }
  });

  test("that can't be written is said before anything runs", async () => {
    const folder = makeFolder("result");
    mkdirSync(join(folder, "taken"));
    const marks = ["--rw-bind", `${folder}:/marks`, "--", "touch", "/marks/ran"];
    for (const place of ["taken", "no/such/folder"]) {
      const { exitCode, stderr } = await rauha(["sandbox", "--no-json", "--result", join(folder, place), ...marks]);
      expect([2, 125]).toContain(exitCode ?? 0);
      expect(stderr).toContain("--result");
    }
    expect(existsSync(join(folder, "ran"))).toBe(false);
    expect(existsSync(join(folder, "taken"))).toBe(true);
  });

  test("that is a pipe is written to, and stays what it is", async () => {
    const pipe = join(makeFolder("result"), "pipe");
    mkfifoSync(pipe);
    const [text] = await Promise.all([
      Bun.$`cat ${pipe}`.text(),
      rauha(["sandbox", "--no-json", "--result", pipe, "--", "true"]),
    ]);
    parseResult(text);
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });

  test("that is the caller's own stdout is written there", async () => {
    // Through a pipe of a shell's: the kernel opens no socket by its name in /proc.
    const script = `"${RAUHA}" sandbox --no-json --result /dev/stdout -- true | cat`;
    const shell = Bun.spawn(["sh", "-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    parseResult(await shell.stdout.text());
  });

  test("that is a link is refused, and what it points to stays as it is", async () => {
    const folder = makeFolder("result");
    writeFileSync(join(folder, "target"), "precious");
    symlinkSync("target", join(folder, "link"));
    const { exitCode, stderr } = await rauha(["sandbox", "--no-json", "--result", join(folder, "link"), "--", "true"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("symbolic link");
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("precious");
  });

  test.each([
    ["a link", "ln -s ../precious out/result.json"],
    ["a pipe", "mkfifo out/result.json"],
    [
      "a folder that is moved away, a link in its place",
      "mv out away && mkdir ../elsewhere2 2>/dev/null; ln -s .. out",
    ],
  ])("is not written through what the task puts there meanwhile: %s", async (_what, script) => {
    const folder = makeFolder("result");
    for (const name of ["repo", "repo/out"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "precious"), "precious");
    const place = join(folder, "repo/out/result.json");
    const workspace = ["--repo-path", join(folder, "repo"), "--repo-mode", "rw"];
    await rauha(["sandbox", "--no-json", ...workspace, "--result", place, "--", "sh", "-c", script]);
    expect(readFileSync(join(folder, "precious"), "utf8")).toBe("precious");
    expect(existsSync(join(folder, "result.json"))).toBe(false);
    const written = [place, join(folder, "repo/away/result.json")].filter((file) => existsSync(file));
    parseResult(readFileSync(written[0] ?? "", "utf8"));
  });

  test("relative to where the caller stands, and nothing else appears there", async () => {
    const folder = makeFolder("result");
    await rauha(["sandbox", "--result", "here.json", "--", "true"], { cwd: folder });
    expect([...new Bun.Glob("**/*").scanSync({ cwd: folder, dot: true })]).toEqual(["here.json"]);
  });
});

describe("--result-fd N", () => {
  test("gets the result instead of stdout, with --no-json", async () => {
    const file = join(makeFolder("fd"), "result");
    const fd = openSync(file, "w");
    const { stdout } = await rauha(["sandbox", "--no-json", "--result-fd", "3", "--", ...noisy], { fds: [fd] });
    closeSync(fd);
    expect(stdout).toBe("out\n");
    expect(parseResult(readFileSync(file, "utf8")).exit_code).toBe(3);
  });

  test("that is not open for writing is said before anything runs, and so is one of the runtime's own", async () => {
    const folder = makeFolder("fd");
    const marks = ["--rw-bind", `${folder}:/marks`, "--", "touch", "/marks/ran"];
    const readable = openSync("/dev/null", "r");
    for (const [fd, fds] of [
      ["77", []],
      ["3", [readable]],
      ["3", []],
      ["4", []],
    ] as const) {
      const { exitCode, stdout, stderr } = await rauha(["sandbox", "--json", "--result-fd", fd, ...marks], { fds });
      expect([exitCode, stderr], fd).toEqual([2, expect.stringMatching(/^rauha: --result-fd: \d+: .*EBADF/)]);
      expect(parseResult(stdout).error, fd).toMatchObject({ code: "invalid_argument", origin: "--result-fd" });
    }
    closeSync(readable);
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });

  test("that is stdout gets it once, with and without --json", async () => {
    for (const json of ["--json", "--no-json"]) {
      const { stdout } = await rauha(["sandbox", json, "--result-fd", "1", "--", "true"]);
      expect(parseResult(stdout).status, json).toBe("succeeded");
    }
  });

  test("is not open inside", async () => {
    const fd = openSync("/dev/null", "w");
    const { stdout } = await rauha(["sandbox", "--result-fd", "3", "--json", "--", "ls", "/proc/self/fd"], {
      fds: [fd],
    });
    closeSync(fd);
    // ls itself opens the directory as 3.
    expect(parseResult(stdout).stdout).toBe("0\n1\n2\n3\n");
  });
});

describe("a stdout that can't take the result", () => {
  test("/dev/full is an error that is said; a task that succeeded ends with 1 then, one that failed with its own code", async () => {
    for (const [command, code] of [
      [["true"], 1],
      [["sh", "-c", "exit 7"], 7],
    ] as const) {
      const full = openSync("/dev/full", "w");
      const child = Bun.spawn([RAUHA, "sandbox", "--json", "--", ...command], {
        cwd: "/",
        stdio: ["ignore", full, "pipe"],
      });
      const words = await child.stderr.text();
      expect(await child.exited).toBe(code);
      closeSync(full);
      expect(words).toMatch(/^rauha: stdout: .*ENOSPC/);
    }
  });

  test("nor can --result or --result-fd: the same", async () => {
    const full = openSync("/dev/full", "w");
    for (const place of [
      ["--result", "/dev/full"],
      ["--result-fd", "3"],
    ]) {
      const { exitCode, stderr } = await rauha(["sandbox", "--no-json", ...place, "--", "true"], { fds: [full] });
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining("ENOSPC")]);
    }
    closeSync(full);
  });

  test("a closed stdin, stdout or stderr does not end up as something else inside", async () => {
    const file = join(makeFolder("closed"), "result.json");
    for (const closed of ["0<&-", "1>&-", "2>&-"]) {
      const script = `exec ${closed}; exec "$0" sandbox --no-json --result "$1" -- sh -c 'ls -l /proc/self/fd >&2'`;
      const child = Bun.spawn(["sh", "-c", script, RAUHA, file], { cwd: "/", stdio: ["ignore", "ignore", "ignore"] });
      const code = await child.exited;
      expect(code, closed).toBeOneOf([0, 125]);
      const result = parseResult(readFileSync(file, "utf8"));
      expect(result.stderr ?? "", closed).not.toContain("memfd");
      expect(result.stderr ?? "", closed).not.toContain("result.json");
    }
  });
});
