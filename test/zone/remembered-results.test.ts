/** A start that is remembered gives the result that the planner's gives, key by key, and no JavaScript runs for it. */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { needs } from "../support/identity.ts";
import { type Caller, parseResult } from "../support/rauha.ts";
import { both, canTell, doneBy, lasting, planned, warm, watched, words } from "../support/starts.ts";

const tells = needs("strace", canTell);

/** The front's alone, and what the planner's is. */
async function expectSame(flags: readonly string[], command: readonly string[], caller: Caller = {}) {
  const { remembered, planned: reference } = await both("front", flags, command, caller);
  expect(remembered.by).toBe("front");
  expect(lasting(remembered.stdout)).toBe(lasting(reference.stdout));
  expect([remembered.exitCode, remembered.stderr]).toEqual([reference.exitCode, reference.stderr]);
  return parseResult(remembered.stdout);
}

const folder = writeFiles(makeFolder("remembered"), {
  "repo/file.txt": "from the repository\n",
  "bound/file.txt": "bound\n",
  "base.toml": 'extends = "task"\n[resources]\npids_max = 40\n',
  "mine.toml": 'extends = "base.toml"\n[filesystem]\nwritable_paths = ["/tmp", "/var/tmp"]\n',
});
const sh = (script: string) => ["sh", "-c", script];
const perl = (text: string) => ["perl", "-CO", "-e", text];

describe("whatever the command", () => {
  tells("and its exit code", async () => {
    expect((await expectSame([], ["true"])).exit_code).toBe(0);
    expect(await expectSame([], sh("exit 3"))).toMatchObject({ exit_code: 3, status: "failed" });
    expect((await expectSame([], sh("exit 255"))).exit_code).toBe(255);
  });

  tells("and what it writes to both streams", async () => {
    const script = 'print map { chr } 0..0x2ff, 0x2028, 0x2029, 0xfeff, 0xfffd, 0x1f600, 0x10fffd; warn q{"\\\\"} x 9';
    const result = await expectSame([], perl(script));
    expect(result.stdout?.length).toBe(0x300 + 4 + 4);
    expect(result.stderr).toStartWith('"\\"');
    const large = await expectSame([], perl('print "\\0" x 60_000; print STDERR "x" x 90_000'));
    expect([large.stdout_bytes, large.stderr_bytes]).toEqual([60_000, 90_000]);
    expect((await expectSame([], ["printf", ""])).stdout).toBe("");
  });

  tells("and its arguments", async () => {
    const many = Array.from({ length: 2000 }, (_, index) => `argument ${index} "\\\u2028 ä 😀`);
    const result = await expectSame([], ["sh", "-c", 'echo "$#"', ...many, "", "\t\n\u0001"]);
    expect(result.stdout).toBe("2001\n");
    expect(result.command.at(-1)).toBe("\t\n\u0001");
    expect((await expectSame([], ["echo", "--", "--json", "-e", "--", "x"])).stdout).toBe("-- --json -e -- x\n");
  });

  tells("and its times are in order", async () => {
    await warm([]);
    const before = Date.now();
    const { stdout } = await watched(words([], ["sleep", "0.02"]));
    const result = parseResult(stdout);
    const times = [before, Date.parse(result.started_at ?? ""), Date.parse(result.finished_at ?? ""), Date.now()];
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(result.duration_ms).toBeWithin(20, 5000);
  });
});

describe("what a task inherits", () => {
  tells("is nothing of the front's: masks, descriptors, limits, variables, session", async () => {
    const script = `grep -E '^(Sig|Shd|Cap|Groups|Uid|NoNew|Seccomp:|Umask|Cpus_allowed:)' /proc/self/status; ls -l /proc/self/fd | cut -d' ' -f9-
      cat /proc/self/limits /proc/self/oom_score_adj /proc/self/cgroup /proc/self/personality; env; pwd; umask; cut -d' ' -f6,18,19 /proc/self/stat
      cat /proc/1/cmdline | tr '\\0' ' '; cut -d' ' -f4- /proc/self/mountinfo | sort`;
    // What the kernel numbers, and the zone's own ids.
    const numbers = "s/pipe:.[0-9]*./pipe/; s,/proc/[0-9]*/,/proc/,; s/[ug]id=[0-9]*//g";
    const result = await expectSame([], sh(`{ ${script.replace(/\n\s+/g, "; ")}; } | sed '${numbers}'`));
    expect(result.stdout).toMatch(/SigBlk:\t0{16}\n/);
    expect(result.stdout).toContain("Max open files");
  });
});

describe("whatever the options", () => {
  const policy = ["--policy", join(folder, "mine.toml")];

  tells("a policy of the caller's", async () => {
    const result = await expectSame(policy, sh("echo > /var/tmp/x && cat /var/tmp/x"));
    expect([result.exit_code, result.policy?.name]).toEqual([0, "mine"]);
  });

  tells("a repository to read, a bind", async () => {
    const repo = ["--repo-path", join(folder, "repo"), "--repo-mode", "ro"];
    expect((await expectSame(repo, ["cat", "file.txt"])).stdout).toBe("from the repository\n");
    expect((await expectSame(repo, sh("echo > file.txt"))).exit_code).not.toBe(0);
    const bind = ["--ro-bind", `${join(folder, "bound")}:/opt`];
    expect((await expectSame(bind, ["cat", "/opt/file.txt"])).stdout).toBe("bound\n");
  });

  tells("limits", async () => {
    const limits = ["--timeout", "20s", "--memory", "300Mi"];
    await expectSame(limits, ["true"]);
    expect((await expectSame(["--hostname", "mine"], ["hostname"])).exit_code).toBe(0);
  });

  tells("standard input that is a pipe or a file", async () => {
    for (const flags of [["-i"], []]) {
      const caller = { stdin: new TextEncoder().encode("typed ä\n") };
      expect((await expectSame(flags, ["cat"], caller)).stdout).toBe("typed ä\n");
    }
    expect((await expectSame(["-i"], ["cat"], { stdin: new Uint8Array(5_000) })).stdout_bytes).toBe(5000);
  });
});

describe("what is never remembered", () => {
  for (const [what, flags] of [
    ["a workspace that is written", ["--repo-path", join(folder, "repo"), "--repo-mode", "overlay"]],
    ["variables from the command line", ["--env", "A=secret"]],
    ["variables passed by name", ["--env-pass", "PATH"]],
    ["a result for people", ["--no-json"]],
    ["a result in a file", ["--result", join(folder, "result.json")]],
    ["a terminal of the task's own", ["-t"]],
    ["output as it comes", ["--stream"]],
  ] as const) {
    tells(what, async () => {
      for (let time = 0; time < 3; time++) {
        const { by, exitCode } = await watched(words(flags, ["true"]));
        expect({ by, exitCode }).toEqual({ by: "planned", exitCode: 0 });
      }
    });
  }

  tells("and what is planned on demand", async () => {
    await warm([]);
    expect((await watched(words([], ["true"]), planned())).by).toBe("planned");
    expect((await watched(words([], ["true"]), { env: { BUN_OPTIONS: "" } })).by).toBe("planned");
    expect((await doneBy("front", () => watched(words([], ["true"])))).by).toBe("front");
  });
});
