/** Copy-on-write workspaces through the executable: what the task sees, what is left on the host, what the commands do with it. */
import { afterEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { treeFs } from "../../src/linux/tree/tree-fs.ts";
import { removeTree } from "../../src/run/remove-tree.ts";
import { resultSchema } from "../../src/run/result/schema.ts";
import { snapshot } from "../support/byte-trees.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { needs } from "../support/identity.ts";
import { type Caller, rauha, sandbox, start } from "../support/rauha.ts";

const isRoot = process.getuid?.() === 0;

const folders: string[] = [];

/** overlayfs leaves directories in its work directory that only their owner can open, by changing their mode first. */
afterEach(() => {
  for (const folder of folders.splice(0)) {
    const root = treeFs.root(folder);
    removeTree(treeFs, root, "state");
    treeFs.close(root);
  }
});

/** A repository and a state directory of its own. */
function world(files: Readonly<Record<string, string>> = { "a.txt": "a\n", "dir/b.txt": "b\n" }) {
  const folder = makeFolder("cow");
  folders.push(folder);
  const repo = writeFiles(`${folder}/repo`, files);
  const env = { XDG_STATE_HOME: `${folder}/state` };
  const run = (script: string, ...flags: string[]) =>
    sandbox(["--repo-path", repo, ...flags], ["sh", "-c", script], { env });
  const say = (...args: string[]) => rauha(args, { env, cwd: repo });
  const tasks = () => readdirSync(`${folder}/state/rauha/tasks`);
  return { folder, repo, env, run, say, tasks };
}

type World = ReturnType<typeof world>;
const paths = (result: Awaited<ReturnType<World["run"]>>["result"]) =>
  result.changes.map(({ path, kind }) => [path, kind]);

describe("the task's view", () => {
  test("is the repository, writable, and the host's files stay as they are, by inode and time", async () => {
    const { repo, run } = world();
    const before = snapshot(repo, "identity");
    const { result } = await run("cat a.txt dir/b.txt && echo more >> a.txt && cat a.txt && pwd");
    expect(result).toMatchObject({ status: "succeeded", stdout: `a\nb\na\nmore\n${repo}\n` });
    expect(snapshot(repo, "identity")).toEqual(before);
  });

  test("shows nothing of the layer's own directories", async () => {
    const { run, folder } = world();
    const { result } = await run(`ls -A / ; ls -A ${folder}; cat /proc/self/mountinfo`);
    expect(result.stdout).not.toContain(".rauha-l.*0$");
    expect(result.stdout?.split("\n")).not.toContain(".rauha-lower-0");
    expect(result.stdout?.split("\n")).not.toContain(".rauha-layer-0");
    expect(result.stdout?.split("\n")).not.toContain("state");
    expect(result.stdout).not.toContain("rauha/tasks");
  });

  test("can be a directory with blanks, commas, colons and letters of any script in its name", async () => {
    const { folder, env } = world();
    const repo = writeFiles(`${folder}/a, b:c\\d äö "q"`, { file: "x\n" });
    const flags = ["--repo-path", repo];
    const { result } = await sandbox(flags, ["sh", "-c", "cat file; echo y > new"], { env });
    expect(result).toMatchObject({ status: "succeeded", stdout: "x\n", changes: [{ path: "new", kind: "added" }] });
    expect(readdirSync(repo)).toEqual(["file"]);
  });

  test("has the mechanism among its guarantees", async () => {
    const { result } = await world().run("true");
    const found = result.guarantees.find(({ name }) => name === "workspace_copy_on_write");
    expect(found).toEqual({ name: "workspace_copy_on_write", state: "enforced", mechanism: "overlayfs" });
  });

  test("holds sparse files, links, executables, and files that the task may not read", async () => {
    const { repo, run } = world();
    writeFileSync(`${repo}/tool`, "#!/bin/sh\necho ran\n", { mode: 0o755 });
    symlinkSync("a.txt", `${repo}/link`);
    Bun.spawnSync(["truncate", "-s", "64M", `${repo}/sparse`]);
    Bun.spawnSync(["ln", `${repo}/a.txt`, `${repo}/hard`]);
    const { result } = await run(
      "./tool; cat link; stat -c %s sparse; echo z >> hard; cat a.txt",
      "--on-success",
      "apply",
    );
    expect(result.stdout).toBe("ran\na\n67108864\na\n");
    expect(paths(result)).toEqual([["hard", "modified"]]);
    expect(readFileSync(`${repo}/hard`, "utf8")).toBe("a\nz\n");
  });

  test("--overlay-bind: any directory, at any place, with changes named by the host's path", async () => {
    const { repo, folder, run, say } = world();
    writeFiles(`${folder}/data`, { one: "1\n" });
    const { result } = await run(
      "echo 2 > /data/two; rm /data/one; echo c > c",
      "--overlay-bind",
      `${folder}/data:/data`,
    );
    expect(result).toMatchObject({ stderr: "", status: "succeeded" });
    expect(paths(result)).toEqual([
      ["c", "added"],
      [`${folder}/data/one`, "deleted"],
      [`${folder}/data/two`, "added"],
    ]);
    expect(readdirSync(`${folder}/data`)).toEqual(["one"]);
    expect((await say("apply", result.task_id, `${folder}/data`)).exitCode).toBe(0);
    expect([readdirSync(`${folder}/data`), existsSync(`${repo}/c`)]).toEqual([["two"], false]);
    expect((await say("apply", result.task_id)).exitCode).toBe(0);
    expect(existsSync(`${repo}/c`)).toBe(true);
  });

  test("--overlay-bind without a workspace", async () => {
    const { folder, env } = world();
    writeFiles(`${folder}/data`, { one: "1\n" });
    const { result } = await sandbox(["--overlay-bind", `${folder}/data:/data`], ["sh", "-c", "echo 2 > /data/two"], {
      env,
    });
    expect(result.changes).toMatchObject([{ path: "two", kind: "added" }]);
  });
});

describe("what is left", () => {
  test("nothing, when nothing was changed", async () => {
    const { run, tasks } = world();
    const { result } = await run("cat a.txt; touch a.txt; echo x > new; rm new");
    expect(result.workspace).toEqual({ mode: "overlay", mechanism: "overlayfs", state: "unchanged" });
    expect([result.changes, tasks()]).toEqual([[], []]);
  });

  test("nothing, when the zone could not be made or the command not be found", async () => {
    const { run, tasks, repo, env } = world();
    await run("true", "--ro-bind", "/nonexistent");
    const missing = await sandbox(["--repo-path", repo], ["/no/such/program"], { env });
    expect([missing.exitCode, missing.result.changes]).toEqual([127, []]);
    const plan = await sandbox(["--repo-path", repo, "--user", "70000"], ["true"], { env });
    expect(plan.result.changes).toEqual([]);
    expect(tasks()).toEqual([]);
  });

  test("the changes of a task that failed, even with --on-success apply", async () => {
    const { repo, run, tasks } = world();
    const { exitCode, result } = await run("echo x > new; exit 3", "--on-success", "apply");
    expect([exitCode, result.workspace?.state, tasks()]).toEqual([3, "kept", [result.task_id]]);
    expect(existsSync(`${repo}/new`)).toBe(false);
  });

  test("a task killed with its whole zone is kept, interrupted, and can be applied", async () => {
    const { repo, env, say } = world();
    const child = start(["sandbox", "--repo-path", repo, "--", "sh", "-c", "echo x > new; echo done; sleep 60"], {
      env,
    } as Caller);
    while (
      !JSON.parse((await say("changes", "--json")).stdout).tasks.some(
        (task: { status: string }) => task.status === "running",
      )
    )
      await Bun.sleep(20);
    await Bun.sleep(150);
    const [running] = JSON.parse((await say("changes", "--json")).stdout).tasks;
    expect((await say("discard", running.task_id)).stderr).toContain("at work");
    child.kill("SIGKILL");
    await child.exited;
    await Bun.sleep(100);
    const [task] = JSON.parse((await say("changes", "--json")).stdout).tasks;
    expect(task).toMatchObject({ status: "interrupted", changes: null });
    expect((await say("diff", "last", "--no-pager")).stdout).toContain("+x\n");
    expect((await say("apply", "last")).exitCode).toBe(0);
    expect(readFileSync(`${repo}/new`, "utf8")).toBe("x\n");
  });

  test("killed at any moment: the repository is untouched, and tasks are whole or gone", async () => {
    const { repo, env, say, tasks } = world();
    const before = snapshot(repo, "identity");
    for (let round = 0; round < 25; round++) {
      const child = start(["sandbox", "--repo-path", repo, "--", "sh", "-c", "echo x > new; rm a.txt; mkdir d"], {
        env,
      } as Caller);
      await Bun.sleep(round * 1.2);
      child.kill("SIGKILL");
      await child.exited;
    }
    await Bun.sleep(200);
    expect(snapshot(repo, "identity")).toEqual(before);
    const listed = JSON.parse((await say("changes", "--json")).stdout).tasks;
    for (const { task_id, status } of listed) {
      expect(["interrupted", "succeeded"]).toContain(status);
      expect((await say("diff", task_id, "--no-pager")).exitCode).toBe(0);
    }
    expect((await say("changes", "prune")).exitCode).toBe(0);
    expect(tasks()).toEqual([]);
  });
});

describe("--on-success", () => {
  test("apply writes the changes, and nothing is kept", async () => {
    const { repo, run, tasks } = world();
    const { result } = await run(
      "echo x > new; rm a.txt; chmod 700 dir/b.txt; mkdir -m 750 d",
      "--on-success",
      "apply",
    );
    expect([result.workspace?.state, tasks()]).toEqual(["applied", []]);
    expect(snapshot(repo)).toMatchObject({ d: "directory 750", "dir/b.txt": expect.stringContaining("file 700") });
    expect(Object.keys(snapshot(repo))).toEqual(["d", "dir", "dir/b.txt", "new"]);
  });

  test("apply that meets a conflict writes nothing, keeps the task, and says so with 1", async () => {
    const { repo, env, tasks } = world();
    const child = start(
      [
        "sandbox",
        "--repo-path",
        repo,
        "--on-success",
        "apply",
        "--",
        "sh",
        "-c",
        "echo task >> a.txt; echo n > new; sleep 2",
      ],
      { env } as Caller,
    );
    // The task's time counts from before its layer was made.
    while (!existsSync(`${env.XDG_STATE_HOME}/rauha/tasks`) || tasks().length === 0) await Bun.sleep(10);
    writeFileSync(`${repo}/a.txt`, "host\n");
    const result = resultSchema.parse(JSON.parse(await child.stdout.text()));
    await child.exited;
    expect(child.exitCode).toBe(1);
    expect(result).toMatchObject({ status: "succeeded", exit_code: 0, error: { code: "conflict", stage: "apply" } });
    expect([readFileSync(`${repo}/a.txt`, "utf8"), existsSync(`${repo}/new`)]).toEqual(["host\n", false]);
    expect(tasks()).toEqual([result.task_id]);
  });

  test("discard forgets, and the result still says what it was", async () => {
    const { repo, run, tasks } = world();
    const { result } = await run("echo x > new", "--on-success", "discard");
    expect([result.workspace?.state, paths(result), tasks()]).toEqual(["discarded", [["new", "added"]], []]);
    expect(existsSync(`${repo}/new`)).toBe(false);
  });

  test("needs something that is copy-on-write", async () => {
    const { repo, env } = world();
    const flags = ["--repo-path", repo, "--repo-mode", "rw", "--on-success", "apply"];
    const { exitCode, stderr } = await sandbox(flags, ["true"], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("--on-success");
  });
});

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
