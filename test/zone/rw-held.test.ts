/** In rw mode, files that run later and that the task makes anew: renamed at the end, so that nothing runs them by itself. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { laterRunFiles } from "../../src/run/later-run-files.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { hasProgram, needs } from "../support/identity.ts";
import { rauha, sandbox } from "../support/rauha.ts";

const rw = (folder: string, ...flags: string[]) => ["--repo-path", folder, "--repo-mode", "rw", ...flags];
const shell = (script: string) => ["sh", "-c", script];

describe("a file that runs later, made by the task", () => {
  test.each(laterRunFiles.map((name) => [name]))("%s is renamed", async (name) => {
    const folder = makeFolder("held");
    const run = await sandbox(
      rw(folder),
      shell(`mkdir -p "$(dirname ${name})" && echo evil >${name} && echo x >plain`),
    );
    expect(run.exitCode).toBe(0);
    expect(existsSync(join(folder, name))).toBe(false);
    expect(readFileSync(join(folder, `${name}.held-${run.result.task_id}`), "utf8")).toBe("evil\n");
    expect(readFileSync(join(folder, "plain"), "utf8")).toBe("x\n");
    expect(run.stderr).toContain(`${name} was made by the task`);
    const event = run.result.events.find((each) => each["event.name"] === "rauha.fs.later_run.held");
    expect(event).toMatchObject({
      path: name,
      held_as: `${name}.held-${run.result.task_id}`,
      "event.outcome": "denied",
    });
    // Once more: nothing is new.
    const quiet = await sandbox(rw(folder), ["true"]);
    expect(quiet.stderr).toBe("");
  });

  test("whatever it is: a folder, a link, or behind a link or a closed folder", async () => {
    const folder = makeFolder("shapes");
    const run = await sandbox(
      rw(folder),
      shell(
        "mkdir .vscode real real/commands .git && touch .vscode/tasks.json real/commands/x && ln -s real .claude && " +
          "ln -s /etc/passwd .mcp.json && echo [core] >.git/config && chmod 555 .git",
      ),
    );
    expect(run.exitCode).toBe(0);
    const held = `held-${run.result.task_id}`;
    expect(readdirSync(folder).sort()).toEqual([
      `.claude.${held}`,
      ".git",
      `.mcp.json.${held}`,
      `.vscode.${held}`,
      "real",
    ]);
    expect(readdirSync(join(folder, ".git"))).toEqual([`config.${held}`]);
    expect(lstatSync(join(folder, `.claude.${held}`)).isSymbolicLink()).toBe(true);
  });

  test("what was there, or is no such file, keeps its name", async () => {
    const folder = writeFiles(makeFolder("kept"), { ".vscode/tasks.json": "{}\n", ".claude/settings.json": "{}\n" });
    const run = await sandbox(
      rw(folder),
      shell("mkdir -p .git src/.vscode && touch .git/HEAD .claude/new src/.vscode/x; true"),
    );
    expect(run.stderr).toBe("");
    expect(readdirSync(folder).sort()).toEqual([".claude", ".git", ".vscode", "src"]);
    expect(readdirSync(join(folder, ".claude")).sort()).toEqual(["new", "settings.json"]);
  });

  test("stays where the policy lists it, and is told", async () => {
    const folder = makeFolder("listed");
    const policy = join(makeFolder("policy"), "p.toml");
    writeFileSync(policy, `extends = "task"\n[filesystem]\nwritable_paths = ["${folder}/.vscode"]\n`);
    const run = await sandbox(rw(folder, "--policy", policy), shell("mkdir .vscode .idea && touch .vscode/a .idea/b"));
    expect(run.exitCode).toBe(0);
    expect(readdirSync(folder).sort()).toEqual([`.idea.held-${run.result.task_id}`, ".vscode"]);
    expect(run.stderr).toContain(".vscode was made by the task");
  });

  test("also when the task fails, or is killed for its time", async () => {
    const folder = makeFolder("ends");
    const failed = await sandbox(rw(folder), shell("touch .mcp.json; exit 3"));
    const late = await sandbox(rw(folder, "--timeout", "1s"), shell("touch .bashrc; sleep 60"));
    expect([failed.exitCode, late.exitCode]).toEqual([3, 124]);
    const names = [`.bashrc.held-${late.result.task_id}`, `.mcp.json.held-${failed.result.task_id}`];
    expect(readdirSync(folder).sort()).toEqual(names);
  });

  test("also beside a directory that is copy-on-write", async () => {
    const [folder, layered] = [makeFolder("beside"), makeFolder("layered")];
    const run = await sandbox(
      rw(folder, "--overlay-bind", layered),
      shell(`touch .mcp.json '${layered}/.mcp.json' plain`),
    );
    expect(run.exitCode).toBe(0);
    expect(readdirSync(folder).sort()).toEqual([`.mcp.json.held-${run.result.task_id}`, "plain"]);
    expect(readdirSync(layered)).toEqual([]);
    expect(run.result.changes.map(({ path }) => path)).toEqual([".mcp.json"]);
    expect(run.result.workspace).toMatchObject({ mode: "rw", state: "kept" });
    const held = run.result.events.filter((each) => each["event.name"] === "rauha.fs.later_run.held");
    expect(held.map((each) => each["path"])).toEqual([".mcp.json"]);
  });

  test("also when the run is there to learn from", async () => {
    const folder = makeFolder("learnt");
    const flags = rw(folder, "--overlay-bind", makeFolder("layer"));
    const run = await rauha(["policy", "learn", ...flags, "--", "sh", "-c", "touch .mcp.json plain; exit 3"]);
    expect(run.exitCode).toBe(3);
    expect(readdirSync(folder).sort()).toEqual([expect.stringMatching(/^\.mcp\.json\.held-task_/), "plain"]);
    expect(run.stderr).toContain(".mcp.json was made by the task");
  });
});

describe("set-user-id files in a writable workspace", () => {
  needs("perl", hasProgram("perl"))("are not made: neither by a mode, nor by being created with one", async () => {
    const folder = makeFolder("set-id");
    const script = `use Fcntl; umask 0; my @said;
      push @said, chmod(04755, "plain") ? "chmod" : "chmod: $!";
      sysopen(my $f, "made", O_CREAT|O_RDWR, 04755) or push @said, "open: $!"; syswrite $f, "#!/bin/sh\n";
      sysopen(my $g, "grown", O_CREAT|O_RDWR, 04755) or push @said, "open: $!"; truncate $g, 100;
      mkdir "shared", 02775; push @said, chmod(02775, "shared") ? "group" : "group: $!"; print join ",", @said;`;
    writeFileSync(join(folder, "plain"), "#!/bin/sh\n");
    chmodSync(join(folder, "plain"), 0o755);
    const { result } = await sandbox(rw(folder), ["perl", "-e", script]);
    expect([result.stdout, result.stderr]).toEqual(["chmod: Operation not permitted,group", ""]);
    const modes = ["plain", "made", "grown", "shared"].map((name) => statSync(join(folder, name)).mode & 0o7777);
    expect(modes.map((mode) => mode & 0o4000)).toEqual([0, 0, 0, 0]);
    expect(modes[3]).toBe(0o2775);
  });
});
