/** Copy-on-write workspaces at their edges: files that run later, places and file systems that can't be, git, names of tasks. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { resultSchema } from "../../src/run/result/schema.ts";
import { snapshot } from "../support/byte-trees.ts";
import { writeFiles } from "../support/folders.ts";
import { needs } from "../support/identity.ts";
import { sandbox } from "../support/rauha.ts";

const isRoot = process.getuid?.() === 0;

import { sweepWorlds, world } from "../support/cow-world.ts";

sweepWorlds();

describe("files that run later", () => {
  test("are named by diff and apply before they are written", async () => {
    const { run, say, repo } = world();
    const { result, stderr } = await run(
      "mkdir -p .git/hooks .vscode; echo evil > .git/hooks/post-checkout; echo {} > .vscode/tasks.json; echo x > plain",
    );
    for (const words of [
      stderr,
      (await say("diff", "last", "--no-pager")).stderr,
      (await say("apply", "last")).stderr,
    ]) {
      expect(words).toContain(".git/hooks/post-checkout");
      expect(words).toContain(".vscode/tasks.json");
      expect(words).not.toContain("plain");
    }
    const events = result.events.filter((event) => event["event.name"] === "rauha.fs.later_run.changed");
    expect(events.map((event) => event["path"])).toContain(".vscode/tasks.json");
    expect(existsSync(`${repo}/.git/hooks/post-checkout`)).toBe(true);
  });
});

describe("places that can't be", () => {
  test("a workspace that holds Rauha's own state", async () => {
    const { repo } = world();
    const { exitCode, result } = await sandbox(["--repo-path", repo], ["true"], {
      env: { XDG_STATE_HOME: `${repo}/state` },
    });
    expect(exitCode).toBe(2);
    expect(result.error).toMatchObject({ code: "invalid_argument", hint: expect.stringContaining("XDG_STATE_HOME") });
  });

  test("a workspace that is not there, or is a file", async () => {
    const { repo, env, tasks } = world();
    const missing = await sandbox(["--repo-path", `${repo}/nope`], ["true"], { env });
    expect([missing.exitCode, missing.result.error?.code]).toEqual([125, "not_found"]);
    const file = await sandbox(["--repo-path", `${repo}/a.txt`], ["true"], { env });
    expect(file.result.error?.code).toBe("invalid_argument");
    expect(tasks()).toEqual([]);
  });

  test.each(["/proc", "/sys", "/sys/kernel", "/proc/self"])("%s: it is no directory of files", async (place) => {
    for (const flags of [
      ["--repo-path", place],
      ["--overlay-bind", `${place}:/shown`],
    ]) {
      const { exitCode, result } = await sandbox(flags, ["true"]);
      expect(exitCode).toBe(2);
      expect(result.error).toMatchObject({ code: "invalid_argument", origin: expect.stringContaining(flags[0] ?? "") });
      expect(result.error?.message).toMatch(/made up by the kernel|the zone has its own/);
    }
  });

  test("a target that is a file: no layer is copied for it, and none is left", async () => {
    const { repo, env, tasks } = world();
    for (const target of ["/etc/passwd", "/dev/null"]) {
      const { result } = await sandbox(["--overlay-bind", `${repo}:${target}`], ["true"], { env });
      expect(result.error).toMatchObject({
        origin: "--overlay-bind #1",
        kind: "EINVAL",
        hint: expect.stringContaining("can't be mounted on a file"),
      });
      // A copy would say so.
      expect(result.error?.message).not.toContain("a copy");
    }
    expect(tasks()).toEqual([]);
  });
});

describe("where overlayfs can't be", () => {
  const mounts = needs("root, to mount something in the repository", isRoot);
  const inMount = (repo: string, env: Record<string, string>, script: string) => {
    const words = [
      process.env["RAUHA_BIN"] ?? new URL("../../dist/rauha", import.meta.url).pathname,
      "sandbox",
      "--json",
    ];
    const inner = `mount -t tmpfs none "$0/sub" && echo inner > "$0/sub/file" && exec "$@"`;
    const all = [
      "unshare",
      "-m",
      "sh",
      "-c",
      inner,
      repo,
      ...words,
      "--repo-path",
      repo,
      "--on-success",
      "keep",
      "--",
      "sh",
      "-c",
      script,
    ];
    const { stdout, stderr } = Bun.spawnSync(all, { env: { ...process.env, ...env } });
    return { result: resultSchema.parse(JSON.parse(stdout.toString() || "{}")), stderr: stderr.toString() };
  };

  mounts("also in a repository whose path the kernel's list of mounts writes in octal", async () => {
    const { folder, env } = world();
    for (const name of ["a b", "back\\slash", "new\nline", "ta\tb", "ha#sh", "plain"]) {
      const repo = writeFiles(`${folder}/${name}`, { "sub/hidden": "h\n" });
      const { result } = inMount(repo, env, "cat sub/file; echo x > new");
      expect([name, result.stdout, result.workspace?.mechanism]).toEqual([
        name,
        "inner\n",
        expect.stringContaining("copy"),
      ]);
      // Its neighbours are no mounts of its own.
      const beside = await sandbox(["--repo-path", `${folder}/repo`], ["true"], { env });
      expect(beside.result.workspace?.mechanism).toBe("overlayfs");
    }
  });

  mounts("something mounted in the repository makes it a copy, which says so, and works the same", async () => {
    const { repo, env, say } = world({ "a.txt": "a\n", "sub/hidden": "h\n", "gone/x": "x\n", exe: "#!/bin/sh\n" });
    symlinkSync("a.txt", `${repo}/link`);
    const before = snapshot(repo, "identity");
    const script = "cat sub/file; echo more >> a.txt; rm -r gone; mkdir new; echo n > new/n; chmod 600 exe; touch link";
    const { result } = inMount(repo, env, script);
    expect(result).toMatchObject({ stderr: "", status: "succeeded", stdout: "inner\n", workspace: { state: "kept" } });
    expect(["copy", "reflink copy"]).toContain(result.workspace?.mechanism ?? "");
    expect(result.guarantees.find(({ name }) => name === "workspace_copy_on_write")?.mechanism).toContain("mounted at");
    expect(result.changes.map(({ path, kind }) => [path, kind])).toEqual([
      ["a.txt", "modified"],
      ["exe", "mode_changed"],
      ["gone", "deleted"],
      ["new", "added"],
      ["new/n", "added"],
    ]);
    expect(snapshot(repo, "identity")).toEqual(before);
    expect((await say("apply", "last")).exitCode).toBe(0);
    expect(readFileSync(`${repo}/a.txt`, "utf8")).toBe("a\nmore\n");
    expect([existsSync(`${repo}/gone`), lstatSync(`${repo}/exe`).mode & 0o777]).toEqual([false, 0o600]);
  });
});

describe("a git repository", () => {
  test("can be committed to inside; applied, the commit is there", async () => {
    const { repo, run, say } = world();
    const git = (...args: string[]) =>
      Bun.spawnSync(["git", ...args], {
        cwd: repo,
        env: { ...process.env, HOME: repo, GIT_CONFIG_NOSYSTEM: "1" },
      }).stdout.toString();
    git("init", "-q");
    git("config", "user.email", "t@example.com");
    git("config", "user.name", "t");
    git("add", ".");
    git("commit", "-qm", "first");
    const { result } = await run(
      "git add -A; echo x > new; git add new; git commit -qm second && git log --oneline | wc -l",
      "-e",
      "HOME=/tmp",
    );
    expect(result).toMatchObject({ stderr: "", stdout: "2\n" });
    expect(git("log", "--format=%s")).toBe("first\n");
    const shown = await say("diff", "last", "--no-pager");
    expect(shown.stdout).toContain("b/new");
    expect(shown.stdout).not.toContain("b/.git");
    expect(shown.stderr).toContain("changes in .git are not shown");
    expect((await say("apply", "last")).exitCode).toBe(0);
    expect(git("log", "--format=%s")).toBe("second\nfirst\n");
    expect(git("status", "--porcelain")).toBe("");
    expect(git("fsck", "--strict")).toBe("");
  });
});

describe("naming a task", () => {
  test("by its id, a beginning, the beginning of its digits, or `last`", async () => {
    const { run, say } = world();
    const { result } = await run("echo x > new");
    for (const word of [result.task_id, result.task_id.slice(0, 12), result.task_id.slice(5, 10), "last"]) {
      expect((await say("diff", word, "--stat", "--no-pager")).stdout).toContain("new");
    }
  });

  test("wrongly is refused, and says what there is", async () => {
    const { run, say } = world();
    expect((await say("diff", "last")).stderr).toContain("no kept task");
    await run("echo x > one");
    await run("echo x > two");
    expect((await say("diff", "task_")).stderr).toContain("beginning of 2 tasks");
    expect((await say("diff", "nope")).exitCode).toBe(125);
    expect((await say("diff", "last", "/etc/passwd")).stderr).toContain("not in what the task could change");
  });

  test("`changes prune --older-than` leaves the young ones", async () => {
    const { run, say, tasks } = world();
    const { result } = await run("echo x > one");
    expect((await say("changes", "prune", "--older-than", "1h")).stdout).toContain("nothing");
    expect(tasks()).toEqual([result.task_id]);
    expect((await say("changes", "prune", "--json")).stdout).toContain(result.task_id);
    expect(tasks()).toEqual([]);
  });

  test("a damaged record is listed, and can be discarded", async () => {
    const { run, say, folder, tasks } = world();
    const { result } = await run("echo x > one");
    writeFileSync(`${folder}/state/rauha/tasks/${result.task_id}/task.json`, "{");
    expect((await say("changes")).stdout).toContain("damaged");
    expect((await say("apply", result.task_id)).stderr).toContain("discard");
    expect((await say("discard", result.task_id)).exitCode).toBe(0);
    expect(tasks()).toEqual([]);
  });
});

describe("a closed directory of the task's", () => {
  test("is kept, shown, and applied with its mode", async () => {
    const { repo, run, say } = world();
    await run("mkdir closed; echo x > closed/f; chmod 000 closed/f; chmod 000 closed");
    expect((await say("apply", "last")).exitCode).toBe(0);
    expect(lstatSync(`${repo}/closed`).mode & 0o777).toBe(0);
    // The folder's own clean-up could not look into it.
    chmodSync(`${repo}/closed`, 0o700);
    expect(lstatSync(`${repo}/closed/f`).mode & 0o777).toBe(0);
  });
});
