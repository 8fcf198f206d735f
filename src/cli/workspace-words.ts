import type { Diagnostic } from "../run/diagnostic.ts";
import { errnoName } from "../run/report/errno.ts";
import type { Report } from "../run/report/report.ts";
import type { WorkspaceEvent } from "../run/result/events.ts";
import { toText } from "../workspace/bytes.ts";
import type { Finished } from "../workspace/finish.ts";
import { heldPath, type NewLaterRunFile } from "../workspace/rw-watch.ts";
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

export function laterRunEvents(report: Report, paths: readonly string[]): WorkspaceEvent[] {
  return paths.map((path) => ({
    at: report.finishedAt,
    name: "fs.later_run.changed",
    outcome: "allowed",
    level: "warn",
    extra: { path: toText(path).text },
  }));
}

export function laterRunWarnings(paths: readonly string[], what: string): Diagnostic[] {
  return paths.map((path) => ({
    code: "unenforceable",
    message: `${oneLine(toText(path).text)} ${what}, and what is in it runs outside the zone later`,
    hint: "look at it before you use the repository",
  }));
}

/** Files that run later, made by a task in `rw` mode: renamed, or still there. */
export function heldEvents(report: Report, files: readonly NewLaterRunFile[]): WorkspaceEvent[] {
  return files.map((file) => ({
    at: report.finishedAt,
    name: file.heldAs === undefined ? "fs.later_run.changed" : "fs.later_run.held",
    outcome: file.heldAs === undefined ? "allowed" : "denied",
    level: "warn",
    extra: { path: file.path, ...(file.heldAs === undefined ? {} : { held_as: heldPath(file) }) },
  }));
}

export function heldWarnings(files: readonly NewLaterRunFile[]): Diagnostic[] {
  return files.map((file): Diagnostic => {
    const made = `${file.path} was made by the task, and what is in it runs outside the zone later`;
    const why = file.errno === undefined ? "" : `; it could not be renamed: ${errnoName(file.errno)}`;
    if (file.heldAs === undefined)
      return { code: "unenforceable", message: `${made}${why}`, hint: "look at it before you use the repository" };
    const hint = `look at it, and rename it back if you want it; or list ${file.path} in filesystem.writable_paths`;
    return { code: "unenforceable", message: `${made}: it is ${heldPath(file)} now`, hint };
  });
}
