/** What a task must not inherit from its caller: environment, descriptors, directory, session, masks, limits. */
import { describe, expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { asRecord, PROBE, parseAnswers, probeBind } from "../support/probe.ts";
import { callerEnvironment, RAUHA, sandbox, tryInZone } from "../support/rauha.ts";

describe("the environment", () => {
  test("has the zone's own variables and nothing of the caller's", async () => {
    const secrets = {
      SECRET_TOKEN: "s",
      AWS_SECRET_ACCESS_KEY: "s",
      LD_PRELOAD: "",
      SSH_AUTH_SOCK: "/x",
      BASH_ENV: "/x",
    };
    const { answers } = await tryInZone(["env"], [], { env: secrets });
    const env = asRecord(answers[0]?.items ?? []);
    expect(Object.keys(env).sort()).toEqual(["HOME", "LOGNAME", "PATH", "USER", "container"]);
    expect(env["PATH"]).toBe("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  });

  test("--env sets, --env-pass passes on, the policy's list passes on", async () => {
    const flags = ["-e", "A=1", "--env", "B=two words", "-eA=last", "--env-pass", "MINE", "-e", "EMPTY="];
    const { answers } = await tryInZone(["env"], flags, { env: { MINE: "x=y\nz", OTHER: "no", LANG: "fi_FI.UTF-8" } });
    const env = asRecord(answers[0]?.items ?? []);
    expect(env).toMatchObject({ A: "last", B: "two words", MINE: "x=y\nz", EMPTY: "" });
    expect(env).not.toHaveProperty("OTHER");
  });

  test("names that objects of JavaScript have by birth are names like any other", async () => {
    const flags = ["-e", "__proto__=1", "-e", "constructor=2", "--env-pass", "toString", "--env-pass", "valueOf"];
    const { answers, stderr } = await tryInZone(["env"], flags, { env: { valueOf: "mine" } });
    const items = answers[0]?.items ?? [];
    expect(items).toEqual(expect.arrayContaining(["__proto__=1", "constructor=2", "valueOf=mine"]));
    expect(items.some((item) => item.startsWith("toString="))).toBe(false);
    expect(stderr).toContain("--env-pass toString: the caller has no such variable");
  });

  test("--env-pass of a variable that the caller does not have sets none, and is said", async () => {
    const { answers, stderr } = await tryInZone(["env"], ["--env-pass", "NO_SUCH_VARIABLE"]);
    expect(asRecord(answers[0]?.items ?? [])).not.toHaveProperty("NO_SUCH_VARIABLE");
    expect(stderr).toContain("NO_SUCH_VARIABLE");
  });
});

describe("descriptors", () => {
  test("above 2 are closed, whatever the caller has open", async () => {
    const secret = join(makeFolder("fds"), "secret");
    writeFileSync(secret, "secret words");
    const fds = Array.from({ length: 5 }, () => openSync(secret, "r+"));
    const { answers, result } = await tryInZone(["fds", "read-fd 3", "read-fd 7"], [], { fds });
    for (const fd of fds) closeSync(fd);
    expect(answers[0]?.items.map((item) => item.split("=")[0])).toEqual(["0", "1", "2"]);
    expect(answers.slice(1).map(({ outcome }) => outcome)).toEqual(["EBADF", "EBADF"]);
    expect(JSON.stringify(result)).not.toContain("secret words");
  });

  test("1 and 2 are pipes of the zone's, not the caller's files", async () => {
    const { answers } = await tryInZone(["fds"]);
    const fds = asRecord(answers[0]?.items ?? []);
    expect(fds["1"]).toMatch(/^pipe:/);
    expect(fds["2"]).toMatch(/^pipe:/);
    expect(fds["1"]).not.toBe(fds["2"] ?? "");
  });
});

describe("the rest", () => {
  test("umask, directory, session and signals begin as for a new login", async () => {
    const script = `umask 077; trap '' TERM INT PIPE; exec "$0" sandbox --ro-bind "$1:${PROBE}" -- ${PROBE} self + lines /proc/self/status`;
    const child = Bun.spawn(["sh", "-c", script, RAUHA, probeBind[1].split(":")[0] ?? ""], {
      cwd: "/usr",
      env: callerEnvironment(),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { stdout } = JSON.parse(await child.stdout.text()) as { stdout: string };
    const [self, status] = parseAnswers(stdout);
    expect(asRecord(self?.items ?? [])).toMatchObject({ cwd: "/", umask: "0022" });
    const line = (name: string) => status?.items.find((item) => item.startsWith(name))?.split(/\s+/)[1];
    expect(line("SigIgn:")).toBe("0".repeat(16));
    expect(line("SigBlk:")).toBe("0".repeat(16));
    expect(line("Seccomp:")).toBe("2");
  });

  test("the task leads a session of its own", async () => {
    const { answers } = await tryInZone(["self"]);
    const self = asRecord(answers[0]?.items ?? []);
    expect(self["sid"]).toBe(self["pid"] ?? "");
  });

  test("--workdir says where it starts; the workspace does otherwise", async () => {
    const folder = makeFolder("start");
    expect((await sandbox(["--workdir", "/usr/lib"], ["pwd"])).result.stdout).toBe("/usr/lib\n");
    expect((await sandbox(["--repo-path", folder, "--repo-mode", "ro"], ["pwd"])).result.stdout).toBe(`${folder}\n`);
    expect((await sandbox(["--repo", folder, "--repo-mode", "ro", "-w", "/tmp"], ["pwd"])).result.stdout).toBe(
      "/tmp\n",
    );
  });
});
