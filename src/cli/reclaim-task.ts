import type { Backend } from "../run/backend.ts";
import type { Diagnostic } from "../run/diagnostic.ts";
import type { TreeFs } from "../run/tree-fs.ts";
import { hasForeign } from "../workspace/foreign.ts";
import { type OpenTask, sweepTasks } from "../workspace/store.ts";

type ReclaimingBackend = Pick<Backend, "images">;

/**
 * Gives the user what a task left in its layers under subordinate ids of his: where its run was killed, nobody has done it yet. Says why it
 * can't be done, if it can't.
 */
export async function reclaimTask(
  backend: ReclaimingBackend,
  fs: TreeFs,
  { fd }: Pick<OpenTask, "fd">,
): Promise<Diagnostic | undefined> {
  const uid = process.getuid?.() ?? 0;
  // Root's tasks have ids of their own, and root can remove them.
  if (uid === 0 || !hasForeign(fs, fd, uid)) return undefined;
  const images = await backend.images();
  const { maps, problems } = await images.subordinateIds();
  const path = fs.pathOf(fd);
  const [problem] = maps.length === 0 ? problems : await images.reclaim(path, maps);
  if (problem === undefined) return undefined;
  const message = `what the task left in ${path} belongs to other ids, and can't be given back: ${problem.message}`;
  return { ...problem, message, hint: problem.hint ?? `as root: chown -R ${uid} ${path}` };
}

/** Removes what creations and removals of tasks left that were killed, whoever it belongs to; why not all, if it can't. */
export async function sweepAll(backend: ReclaimingBackend, fs: TreeFs, tasks: number): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const name of sweepTasks(fs, tasks)) {
    const fd = fs.directory(tasks, name);
    const problem = await reclaimTask(backend, fs, { fd });
    fs.close(fd);
    if (problem !== undefined) found.push(problem);
  }
  if (found.length === 0) sweepTasks(fs, tasks);
  return found;
}
