/** Files by which a task could choose the configuration, and so the commands, of the git that its user runs afterwards. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { outcomes, sandbox, tryInZone } from "../support/rauha.ts";

const rw = (folder: string) => ["--repo-path", folder, "--repo-mode", "rw"];

describe("in a workspace that the task writes", () => {
  test("a .git that names git's directory stays as it is, and can't be moved aside", async () => {
    const folder = writeFiles(makeFolder("worktree"), { ".git": "gitdir: /src/.git/worktrees/w\n", "file.txt": "x\n" });
    const path = (name: string) => join(folder, name);
    const tried = await tryInZone(
      [
        ["write", path(".git"), "gitdir: /evil"],
        ["unlink", path(".git")],
        ["rename", path("file.txt"), path(".git")],
        ["write", path("file.txt"), "free"],
      ],
      rw(folder),
    );
    const [write, unlink, rename, free] = tried.answers.map(({ outcome }) => outcome);
    for (const outcome of [write, unlink, rename]) expect(outcome).toMatch(/^(EROFS|EBUSY|EACCES|EXDEV)$/);
    expect(free).toBe("OK");
    expect(readFileSync(path(".git"), "utf8")).toBe("gitdir: /src/.git/worktrees/w\n");
  });

  test("other places that git takes configuration from are read-only, and the rest of .git is not", async () => {
    const folder = writeFiles(makeFolder("places"), {
      ".git/HEAD": "ref: refs/heads/main\n",
      ".git/config.worktree": "[core]\n",
      ".git/commondir": ".\n",
      ".git/modules/sub/config": "[core]\n",
      ".git/worktrees/w/commondir": "../..\n",
    });
    const path = (name: string) => join(folder, ".git", name);
    const denied = ["config.worktree", "commondir", "modules/sub/config", "worktrees/w/commondir"];
    const tried = await tryInZone(
      [...denied, "HEAD"].map((name) => ["write", path(name), "x"]),
      rw(folder),
    );
    const seen = outcomes(tried);
    for (const name of denied) expect(`${name}: ${seen[`write ${path(name)} x`]}`).toMatch(/: (EROFS|EACCES)$/);
    expect(seen[`write ${path("HEAD")} x`]).toBe("OK");
  });

  test("those that were not there are renamed when the task has made them", async () => {
    const withGit = writeFiles(makeFolder("made"), { ".git/HEAD": "ref: refs/heads/main\n" });
    const made = await sandbox(rw(withGit), ["sh", "-c", "echo ../evil >.git/commondir"]);
    expect(made.stderr).toContain(".git/commondir was made by the task");
    expect(existsSync(join(withGit, ".git/commondir"))).toBe(false);
    const without = makeFolder("made");
    const pointer = await sandbox(rw(without), ["sh", "-c", "echo gitdir: evil >.git"]);
    expect(pointer.stderr).toContain(".git was made by the task");
    expect(existsSync(join(without, ".git"))).toBe(false);
  });
});
