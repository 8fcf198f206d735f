/** Copy-on-write workspaces through the executable: what the task sees, what is left on the host, what the commands do with it. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { resultSchema } from "../../src/run/result/schema.ts";
import { snapshot } from "../support/byte-trees.ts";
import { paths, sweepWorlds, world } from "../support/cow-world.ts";
import { writeFiles } from "../support/folders.ts";
import { type Caller, sandbox, start } from "../support/rauha.ts";

sweepWorlds();

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
    // What is new and empty may be somebody's who has no lock yet, and is left alone for two seconds (src/workspace/store.ts).
    await Bun.sleep(2_100);
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
    const { folder, repo, env, tasks } = world();
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
        // It ends when the host has written, however long that takes on a busy machine.
        "echo task >> a.txt; echo n > new; read go",
      ],
      { env, stdin: "pipe" } as Caller,
    );
    const place = `${env.XDG_STATE_HOME}/rauha/tasks`;
    const written = () =>
      existsSync(place) &&
      tasks()
        .map((name) => `${place}/${name}/0/upper/new`)
        .find((path) => existsSync(path));
    while (child.exitCode === null && !written()) await Bun.sleep(10);
    // The clock that files are stamped with goes on in ticks: what the host writes now is to be later than the start by it, too.
    const stampOf = (path: string) => statSync(path, { bigint: true }).ctimeNs;
    do writeFileSync(`${folder}/tick`, "");
    while (stampOf(`${folder}/tick`) <= stampOf(written() || ""));
    writeFileSync(`${repo}/a.txt`, "host\n");
    const stdin = child.stdin as unknown as Bun.FileSink;
    stdin.write("go\n");
    stdin.end();
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
