/** Worktrees and submodules at /workspace in zones of images: git finds its directory there as it does at the workspace's own path. */
import { beforeAll, describe, expect } from "bun:test";
import { lstatSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { git, gitFamily, gitInside } from "../support/git-family.ts";
import { hasProgram, needs } from "../support/identity.ts";
import { dir, link } from "./small-image.ts";
import { tarOf } from "./tar-builder.ts";
import { testStore } from "./zone-store.ts";

// Kept tasks of its own too: whoever else works on this machine keeps some.
const store = testStore({ XDG_STATE_HOME: makeFolder("state") });
// Nothing of its own but a shape: the programs are the host's.
const shape = tarOf([
  ...["usr", "etc", "tmp"].map((name) => dir(name)),
  ...["bin", "lib", "lib64"].map((name) => link(name, `usr/${name}`)),
]);
const withGit = needs("git, in a host whose /bin is in /usr", hasProgram("git") && lstatSync("/bin").isSymbolicLink());

beforeAll(async () => {
  await store.add("shape", { layers: [{ archive: shape }] });
  // Unpacks it, which is told on stderr.
  await store.run("shape", ["true"], ["--ro-bind", "/usr:/usr"]);
});

const run = (repo: string, script: string, ...flags: string[]) =>
  store.run("shape", ["sh", "-c", script], ["--repo-path", repo, "--ro-bind", "/usr:/usr", ...flags]);

const places = [
  ["worktree", "sub"],
  ["submodule", "sub"],
  ["submodule", "libs/deep er/lib"],
  // Names that the image has as well.
  ["submodule", "usr"],
  ["submodule", "lib"],
] as const;

describe.each(places)("a %s (the submodule at %s)", (which, place) => {
  withGit("is one to git at /workspace, and apply brings its commit home", async () => {
    const here = gitFamily(place);
    const script = `set -e; pwd; ${gitInside} status --short; ${gitInside} rev-parse --show-toplevel
      echo two >file; ${gitInside} status --short; ${gitInside} commit -qam second; ${gitInside} log --format=%s`;
    const { result, exitCode, stderr } = await run(here[which], script);
    expect({ out: result.stdout, err: result.stderr, exitCode, stderr }).toEqual({
      out: "/workspace\n/workspace\n M file\nsecond\nfirst\n",
      err: "",
      exitCode: 0,
      stderr: "",
    });
    expect(git(here[which], "log", "--format=%s")).toBe("first");
    const applied = await store.rauha(["apply", result.task_id]);
    expect([applied.exitCode, applied.stderr]).toEqual([0, ""]);
    expect(git(here[which], "log", "--format=%s")).toBe("second\nfirst");
    expect(git(here[which], "status", "--short")).toBe("");
    git(here.main, "fsck", "--strict");
  });

  for (const mode of ["ro", "rw"]) {
    withGit(`in mode ${mode} git reads there, and can't write its directory`, async () => {
      const here = gitFamily(place);
      const script = `${gitInside} status --short && ${gitInside} log --format=%s && ! ${gitInside} commit --allow-empty -qm no`;
      const { result, exitCode } = await run(here[which], script, "--repo-mode", mode);
      expect([result.stdout, exitCode]).toEqual(["first\n", 0]);
      expect(result.stderr).toContain("Read-only file system");
      expect(git(here[which], "log", "--format=%s")).toBe("first");
    });
  }

  withGit("a hook that the task puts into git's directory is told of, and is nowhere else", async () => {
    const here = gitFamily(place);
    const hook = `d=$(${gitInside} rev-parse --path-format=absolute --git-common-dir) && mkdir -p "$d/hooks" && echo evil >"$d/hooks/post-checkout"`;
    const { result, exitCode, stderr } = await run(here[which], hook);
    expect([result.stderr, exitCode]).toEqual(["", 0]);
    expect(stderr).toContain("hooks/post-checkout");
    expect((await store.rauha(["discard", result.task_id])).exitCode).toBe(0);
  });
});

withGit("a worktree whose links are relative, as newer gits write them, is found too", async () => {
  const here = gitFamily();
  const entry = join(here.main, ".git/worktrees/wt");
  writeFileSync(join(here.worktree, ".git"), "gitdir: ../main/.git/worktrees/wt\n");
  writeFileSync(join(entry, "gitdir"), "../../../../wt/.git\n");
  const { result } = await run(here.worktree, `${gitInside} status --short && ${gitInside} log --format=%s`);
  expect([result.stdout, result.stderr]).toEqual(["first\n", ""]);
});

withGit("a .git file that names another's directory shows nothing of it at /workspace either", async () => {
  const here = gitFamily();
  const evil = join(here.root, "evil");
  git(here.root, "init", "-q", evil);
  rmSync(join(evil, ".git"), { recursive: true });
  writeFileSync(join(evil, ".git"), "gitdir: ../main/.git/modules/sub\n");
  const { result, stderr } = await run(evil, "ls -A /.rauha-git /main 2>&1; ls -A /");
  expect(stderr).toContain("which the zone is not shown");
  expect(result.stdout).not.toContain("HEAD");
  expect(result.stdout?.split("\n")).not.toContain(".rauha-git");
});
