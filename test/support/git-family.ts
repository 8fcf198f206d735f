/** Repositories whose git directory lies elsewhere, made by the host's git. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./folders.ts";

const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "protocol.file.allow=always"];

/** The host's git in a folder, with no configuration but the repository's own. */
export function git(folder: string, ...words: string[]): string {
  const env = { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
  const { exitCode, stdout, stderr } = Bun.spawnSync(["git", "-C", folder, ...identity, ...words], { env });
  if (exitCode !== 0) throw new Error(`git ${words.join(" ")}: ${stderr}`);
  return stdout.toString().trim();
}

/** A repository `main` with a linked worktree `wt` and a submodule, at `main/sub` unless another place is named. */
export function gitFamily(place = "sub") {
  const root = makeFolder("git-links");
  const [main, library, worktree] = ["main", "library", "wt"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [main, library]) {
    mkdirSync(folder);
    git(folder, "init", "-q");
    writeFileSync(join(folder, "file"), "one\n");
    git(folder, "add", ".");
    git(folder, "commit", "-qm", "first");
  }
  git(main, "worktree", "add", "-q", worktree);
  git(main, "submodule", "--quiet", "add", library, place);
  return { root, main, worktree, submodule: join(main, place) };
}

/** git inside a zone, as words of a shell. */
export const gitInside = `git ${identity.join(" ")} -c safe.directory=* `;
