/** Rauha itself, started in a directory, an environment or a home that an attacker has prepared: none of it runs outside a zone. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { callerEnvironment, parseResult, RAUHA, rauha, sandbox } from "../support/rauha.ts";

const marker = (folder: string) => join(folder, "outside-was-here");
const evil = (folder: string) => `require("node:fs").writeFileSync(${JSON.stringify(marker(folder))}, "");\n`;

/** A directory that tries to get its code into every JavaScript program that is started in it. */
function hostileFolder(): string {
  const folder = makeFolder("hostile");
  const code = evil(folder);
  return writeFiles(folder, {
    "bunfig.toml": 'preload = ["./evil.ts"]\n[run]\npreload = ["./evil.ts"]\n[test]\npreload = ["./evil.ts"]\n',
    "evil.ts": code,
    "evil.js": code,
    ".env":
      "BUN_OPTIONS=--preload=./evil.ts\nNODE_OPTIONS=--require ./evil.js\nRAUHA_LAUNCHER=/bin/false\nNO_COLOR=1\nPATH=/nowhere\nHOME=/nowhere\nMINE=from-dotenv\n",
    ".env.local": "MINE=from-dotenv\n",
    ".env.production": "MINE=from-dotenv\n",
    "package.json":
      '{ "name": "x", "type": "commonjs", "main": "evil.js", "imports": { "#x": "./evil.js" }, "scripts": { "preinstall": "node evil.js" } }\n',
    "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./evil.ts"] }, "baseUrl": "." } }\n',
    "jsconfig.json": '{ "compilerOptions": { "paths": { "node:*": ["./evil.js"] } } }\n',
    "node_modules/zod/index.js": code,
    "node_modules/zod/mini.js": code,
    "node_modules/citty/index.js": code,
    "node_modules/smol-toml/index.js": code,
    "launcher.b64.txt": "AAAA",
    "policies/task.toml": '[zone]\ntype = "privileged"\n',
    "task.toml": '[zone]\ntype = "privileged"\n',
    task: '[zone]\ntype = "privileged"\n',
    "zod.ts": code,
  });
}

describe("a hostile working directory", () => {
  test("runs nothing and changes nothing, on the hot path and in every command", async () => {
    const folder = hostileFolder();
    const runs = [
      ["sandbox", "--json", "--", "true"],
      ["sandbox", "--json", "--policy", "task", "--repo-path", ".", "--repo-mode", "ro", "--", "true"],
      ["--version"],
      ["--help"],
      ["doctor", "--json"],
      ["policy", "show", "task"],
      ["schema", "result"],
      ["completions", "bash"],
    ];
    for (const args of runs) {
      const { exitCode, stderr } = await rauha(args, { cwd: folder });
      expect({ args, stderr, ok: exitCode === 0 || args[0] === "doctor" }).toEqual({ args, stderr, ok: true });
    }
    expect(existsSync(marker(folder))).toBe(false);
  });

  test("that is gone is said, and nothing runs", async () => {
    const folder = makeFolder("gone");
    const start = (leave: string) => {
      const script = `mkdir -p "$1/here" && cd "$1/here" && ${leave} && exec "$2" sandbox --rw-bind "$1" -- touch "$1/ran"`;
      return Bun.spawnSync(["sh", "-c", script, "sh", folder, RAUHA], { cwd: "/", env: callerEnvironment() });
    };
    const { exitCode, stdout, stderr } = start('rmdir "$1/here"');
    // The runtime's own words and exit code: it looks before anything of ours is loaded.
    expect([exitCode, stdout.toString()]).toEqual([1, ""]);
    expect(stderr.toString()).toContain("current working directory was deleted");
    expect(existsSync(join(folder, "ran"))).toBe(false);
    expect([start("true").exitCode, existsSync(join(folder, "ran"))]).toEqual([0, true]);
  });

  test("does not replace a shipped policy by a file of its name", async () => {
    const folder = hostileFolder();
    const here = await sandbox(["--policy", "task"], ["true"], { cwd: folder });
    const elsewhere = await sandbox(["--policy", "task"], ["true"]);
    expect(here.result.policy).toEqual(elsewhere.result.policy);
  });

  test("puts no variable into the task or into what --env-pass takes", async () => {
    const folder = hostileFolder();
    const { result } = await sandbox(["--env-pass", "MINE"], ["sh", "-c", "echo [$MINE] [$PATH]"], { cwd: folder });
    expect(result.stdout).toStartWith("[] [/usr/local/sbin:");
  });

  test("that was removed is an error or no matter, not a crash", async () => {
    const folder = makeFolder("removed");
    const gone = join(folder, "gone");
    mkdirSync(gone);
    const child = Bun.spawn(
      [
        "sh",
        "-c",
        `cd ${gone} && rmdir ${gone} && exec "$0" sandbox --json -- pwd`,
        (await import("../support/rauha.ts")).RAUHA,
      ],
      {
        env: callerEnvironment(),
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const [text, words] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    // The JavaScript runtime itself gives up before the program's first line, in words of its own.
    const code = await child.exited;
    expect(code).toBeOneOf([0, 1, 125]);
    expect(words).not.toMatch(/\n\s+at /);
    if (code === 1) expect(words).toContain("directory");
    else parseResult(text, words);
  });
});

/**
 * Of rauha's own caller's environment only what looks like data is at an attacker's hand. LD_PRELOAD, and with it the runtime's BUN_OPTIONS and
 * BUN_BE_BUN, are the caller's to set: whoever sets them runs programs as the caller already.
 */
describe("a hostile environment", () => {
  test("of JavaScript runtimes has no effect on rauha", async () => {
    const folder = hostileFolder();
    const env = {
      NODE_OPTIONS: `--require ${folder}/evil.js`,
      BUN_CONFIG_PRELOAD: `${folder}/evil.ts`,
      BUN_INSPECT: "ws://127.0.0.1:6499/x",
      NODE_PATH: `${folder}/node_modules`,
      BUN_CONFIG_FILE: `${folder}/bunfig.toml`,
    };
    for (const [name, value] of Object.entries(env)) {
      const { exitCode } = await sandbox([], ["true"], { env: { [name]: value } });
      expect({ name, exitCode }).toEqual({ name, exitCode: 0 });
    }
    expect(existsSync(marker(folder))).toBe(false);
  });

  test("of the task (LD_PRELOAD, PATH, HOME, BASH_ENV) reaches the task only", async () => {
    const folder = hostileFolder();
    const flags = [
      "-e",
      `LD_PRELOAD=${folder}/evil.so`,
      "-e",
      "PATH=/nowhere:/usr/bin",
      "-e",
      `BASH_ENV=${folder}/x`,
      "-e",
      "HOME=/etc/shadow",
      "-e",
      "LD_LIBRARY_PATH=/tmp",
    ];
    const { exitCode, result } = await sandbox(flags, ["env"]);
    expect(exitCode).toBe(0);
    expect(result.stdout).toContain("HOME=/etc/shadow\n");
    expect(existsSync(marker(folder))).toBe(false);
  });

  test("HOME, XDG_RUNTIME_DIR and TMPDIR that are missing, unwritable, strange or links are survived", async () => {
    const folder = makeFolder("home");
    symlinkSync("/etc", join(folder, "link"));
    const values = [
      "",
      "/nonexistent",
      "relative/path",
      "/dev/null",
      join(folder, "link"),
      `${folder}/new\nline`,
      "/proc/self",
    ];
    for (const value of values) {
      const { exitCode, result } = await sandbox([], ["sh", "-c", "echo $HOME"], {
        env: { HOME: value, XDG_RUNTIME_DIR: value, TMPDIR: value, XDG_CONFIG_HOME: value },
      });
      expect({ value, exitCode, stdout: result.stdout }).toEqual({ value, exitCode: 0, stdout: "/tmp\n" });
    }
    expect(readdirSync(folder)).toEqual(["link"]);
  });
});

describe("a policy file that sets a trap", () => {
  const wrap = async (text: string) => {
    const folder = makeFolder("trap");
    const file = join(writeFiles(folder, { "trap.toml": text }), "trap.toml");
    return rauha(["sandbox", "--json", "--policy", file, "--", "true"], { patienceMs: 20_000 });
  };

  test.each([
    ["keys of every object", '[env]\nset = { __proto__ = "x", constructor = "y" }\n'],
    ["a prototype as a table", "[__proto__]\npolluted = true\n"],
    ["a chain to a file of the host's", 'extends = "/etc/shadow"\n'],
    ["a chain up and up", 'extends = "../../../../../../etc/hostname"\n'],
    ["a path that climbs", '[filesystem]\nreadable_paths = ["/usr/../etc/shadow"]\n'],
    ["a path with a NUL", '[filesystem]\nreadable_paths = ["/usr\\u0000/x"]\n'],
    ["a relative path", '[filesystem]\nreadable_paths = ["usr"]\n'],
    ["the whole host", '[filesystem]\nwritable_paths = ["/"]\n'],
    ["numbers that are none", "[resources]\npids_max = nan\n"],
    ["numbers beyond all", '[resources]\nmemory_limit = "99999999999999999999Gi"\n'],
    ["negative ones", "[limits]\nnofile = -1\n"],
    ["an empty allow-list with a wildcard", '[capabilities]\nallowed = ["*"]\n'],
    ["capabilities that are not", '[capabilities]\nallowed = ["CAP_EVERYTHING"]\n'],
    ["a system call that is not", '[syscalls]\nallow = ["no_such_call"]\n'],
    ["control characters in words", '[zone]\nname = "\\u001b[31mred"\n'],
    ["many tables deep", `${"[a".concat(".a".repeat(2000))}]\nx = 1\n`],
  ])("%s: refused in words, with no crash", async (_, text) => {
    const { exitCode, stdout, stderr } = await wrap(text);
    expect(exitCode).toBe(125);
    expect(stderr).not.toMatch(/\n\s+at |TypeError|RangeError/);
    expect(stderr).not.toContain("\u001b[31m");
    expect(parseResult(stdout)).toMatchObject({
      status: "runtime_error",
      error: { message: expect.stringMatching(/\w/) },
    });
  });

  test("one that is only root's to use is refused to others, and privileged is never the default", async () => {
    const { exitCode } = await wrap('[zone]\ntype = "privileged"\n[filesystem]\nroot = "host"\n');
    expect(exitCode).toBe(process.getuid?.() === 0 ? 0 : 125);
  });
});
