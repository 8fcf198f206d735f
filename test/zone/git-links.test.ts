/** Linked worktrees and submodules: git's directory lies outside the workspace, and comes along only where it is this repository's. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { git, gitFamily, gitInside } from "../support/git-family.ts";
import { rauha, sandbox } from "../support/rauha.ts";

const commit = gitInside;
const work = `echo two >file && ${commit} commit -qam second && ${commit} log --format=%s`;

describe.each(["worktree", "submodule"] as const)("a %s", (which) => {
  test("is one to git in the zone, and apply brings its commit home", async () => {
    const here = gitFamily();
    const before = git(here[which], "log", "--format=%s");
    const run = await sandbox(["--repo-path", here[which]], ["sh", "-c", work]);
    expect([run.result.stdout, run.exitCode]).toEqual(["second\nfirst\n", 0]);
    // Without locks: git status writes the index anew, which is a change that apply would not write over.
    const status = git(here[which], "--no-optional-locks", "status", "--short");
    expect([git(here[which], "log", "--format=%s"), status]).toEqual([before, ""]);
    const applied = await rauha(["apply", run.result.task_id]);
    expect([applied.exitCode, applied.stderr]).toEqual([0, ""]);
    expect(git(here[which], "log", "--format=%s")).toBe("second\nfirst");
    expect(git(here[which], "status", "--short")).toBe("");
    git(here.main, "fsck", "--strict");
  });

  test.each(["ro", "rw"])("in mode %s git reads its history and can't write there", async (mode) => {
    const here = gitFamily();
    const words = ["sh", "-c", `${commit} log --format=%s && ! ${commit} commit --allow-empty -qm no`];
    const run = await sandbox(["--repo-path", here[which], "--repo-mode", mode], words);
    expect([run.result.stdout, run.exitCode]).toEqual(["first\n", 0]);
    expect(run.result.stderr).toContain("Read-only file system");
  });

  test("a hook that the task puts into git's directory is told of", async () => {
    const here = gitFamily();
    const hook = `d=$(${commit} rev-parse --git-common-dir) && mkdir -p $d/hooks && echo evil >$d/hooks/post-checkout`;
    const run = await sandbox(["--repo-path", here[which]], ["sh", "-c", hook]);
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain("hooks/post-checkout");
    expect((await rauha(["diff", run.result.task_id])).stderr).toContain("hooks/post-checkout");
    await rauha(["discard", run.result.task_id]);
  });
});

describe("a .git file that names what is not this repository's", () => {
  /** Whether a zone with this workspace sees the place. */
  async function shows(workspace: string, place: string): Promise<{ shown: boolean; stderr: string }> {
    const run = await sandbox(["--repo-path", workspace], ["sh", "-c", 'test -e "$0" && echo shown', place]);
    return { shown: run.result.stdout === "shown\n", stderr: run.stderr };
  }

  const evil = (pointer: string) => {
    const folder = makeFolder("evil");
    writeFileSync(join(folder, ".git"), `gitdir: ${pointer}\n`);
    return folder;
  };

  test("shows no directory of the host: no other repository, worktree or submodule", async () => {
    const here = gitFamily();
    const entry = join(here.main, ".git/worktrees/wt");
    for (const target of [
      join(here.main, ".git"),
      entry,
      join(here.main, ".git/modules/sub"),
      here.root,
      "/root",
      "/etc",
    ]) {
      const { shown, stderr } = await shows(evil(target), join(here.main, ".git/HEAD"));
      expect([target, shown]).toEqual([target, false]);
      expect(stderr).toContain("which the zone is not shown");
    }
  });

  test("nor with a forged entry of its own that points to another's git directory", async () => {
    const here = gitFamily();
    const secret = join(here.main, ".git");
    const forged = makeFolder("forged");
    const workspace = evil(forged);
    for (const [name, text] of [
      ["gitdir", `${workspace}/.git\n`],
      ["commondir", `${secret}\n`],
      ["HEAD", "ref: refs/heads/main\n"],
    ] as const) {
      writeFileSync(join(forged, name), text);
    }
    expect((await shows(workspace, `${secret}/HEAD`)).shown).toBe(false);
    // Neither by links that make it look like an entry of that directory.
    const links = makeFolder("links");
    mkdirSync(join(links, "worktrees"));
    symlinkSync(forged, join(links, "worktrees/x"));
    const linked = evil(join(links, "worktrees/x"));
    writeFileSync(join(forged, "gitdir"), `${linked}/.git\n`);
    expect((await shows(linked, `${secret}/HEAD`)).shown).toBe(false);
  });

  test("nor a directory that says it is this repository's and is no git directory", async () => {
    const secret = makeFolder("secret");
    const workspace = evil(secret);
    writeFileSync(join(secret, "config"), `[core]\n\tworktree = ${workspace}\n`);
    expect((await shows(workspace, `${secret}/config`)).shown).toBe(false);
    for (const name of ["objects", "refs"]) mkdirSync(join(secret, name));
    expect((await shows(workspace, `${secret}/config`)).shown).toBe(false);
    symlinkSync("/etc/hostname", join(secret, "HEAD"));
    expect((await shows(workspace, `${secret}/config`)).shown).toBe(false);
    rmSync(join(secret, "HEAD"));
    writeFileSync(join(secret, "HEAD"), "ref: refs/heads/main\n");
    expect((await shows(workspace, `${secret}/config`)).shown).toBe(true);
  });

  test("a worktree that was moved without git's knowledge is not shown another's", async () => {
    const here = gitFamily();
    renameSync(here.worktree, join(here.root, "moved"));
    const { shown, stderr } = await shows(join(here.root, "moved"), join(here.main, ".git/HEAD"));
    expect(shown).toBe(false);
    expect(stderr).toContain("another worktree's entry");
    expect(readFileSync(join(here.root, "moved/file"), "utf8")).toBe("one\n");
  });

  test("and neither a huge .git file, nor one that is a pipe or a link, holds anything up", async () => {
    const huge = makeFolder("huge");
    writeFileSync(join(huge, ".git"), `gitdir: ${"/x".repeat(1 << 20)}\n`);
    const pipe = makeFolder("pipe");
    Bun.spawnSync(["mkfifo", join(pipe, ".git")]);
    const link = makeFolder("link");
    symlinkSync("/dev/zero", join(link, ".git"));
    for (const workspace of [huge, pipe, link]) {
      for (const mode of ["overlay", "ro"]) {
        const run = await sandbox(["--repo-path", workspace, "--repo-mode", mode], ["true"]);
        expect([workspace, mode, run.exitCode]).toEqual([workspace, mode, 0]);
      }
    }
  });
});
