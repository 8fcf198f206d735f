/** A repository and a state directory of its own, for tests of copy-on-write workspaces. */
import { afterEach } from "bun:test";
import { readdirSync } from "node:fs";
import { treeFs } from "../../src/linux/tree/tree-fs.ts";
import { removeTree } from "../../src/run/remove-tree.ts";
import { makeFolder, writeFiles } from "./folders.ts";
import { rauha, sandbox } from "./rauha.ts";

const folders: string[] = [];

/** To be called by each file that makes one. overlayfs leaves directories in its work directory that only their owner can open. */
export const sweepWorlds = () =>
  afterEach(() => {
    for (const folder of folders.splice(0)) {
      const root = treeFs.root(folder);
      removeTree(treeFs, root, "state");
      treeFs.close(root);
    }
  });

/** A repository and a state directory of its own. */
export function world(files: Readonly<Record<string, string>> = { "a.txt": "a\n", "dir/b.txt": "b\n" }) {
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

export type World = ReturnType<typeof world>;
export const paths = (result: Awaited<ReturnType<World["run"]>>["result"]) =>
  result.changes.map(({ path, kind }) => [path, kind]);
