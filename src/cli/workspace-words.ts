import type { Diagnostic } from "../run/diagnostic.ts";
import { errnoName } from "../run/report/errno.ts";
import type { WorkspaceEvent } from "../run/result/events.ts";
import { toText } from "../workspace/bytes.ts";
import type { Finished } from "../workspace/finish.ts";
import { oneLine } from "./words.ts";

/** Why --on-success apply kept the changes instead. */
export function applyProblem({ obstacles, failed }: Finished, taskId: string): Diagnostic | undefined {
  const origin = { kind: "flag", flag: "--on-success" } as const;
  const hint = `the changes are kept: rauha diff ${taskId}, then rauha apply ${taskId}`;
  if (failed !== undefined) {
    const message = `the changes were not written whole: ${failed.step} ${failed.path}: ${errnoName(failed.errno)}`;
    return { code: "setup_failed", message, origin, hint };
  }
  const [first] = obstacles;
  if (first === undefined) return undefined;
  const more = obstacles.length === 1 ? "" : ` (and ${obstacles.length - 1} more)`;
  return {
    code: "conflict",
    message: `nothing was applied: ${oneLine(toText(first.path).text)}: ${first.why}${more}`,
    origin,
    hint,
  };
}

/** Files that run later and that the task changed in its layer, or that were written back. */
export function laterRunEvents(at: number, paths: readonly string[]): WorkspaceEvent[] {
  return paths.map((path) => ({
    at,
    name: "fs.later_run.changed",
    outcome: "allowed",
    level: "warn",
    extra: { path: toText(path).text },
  }));
}

/** The same for people. `what` became of them, as a verb. */
export function laterRunWarnings(paths: readonly string[], what: string): Diagnostic[] {
  return paths.map((path) => ({
    code: "unenforceable",
    message: `${oneLine(toText(path).text)} ${what}, and what is in it runs outside the zone later`,
    hint: "look at it before you use the repository",
  }));
}
