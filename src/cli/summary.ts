import type { Result } from "../run/result/schema.ts";
import { oneLine } from "./words.ts";

/** Denied calls that are named. */
const MOST_DENIED = 3;

/** One line for people after the task's own output: how it ended, how long it took, and what to look at. */
export function summaryLine(result: Result): string {
  const took = `in ${renderMilliseconds(result.duration_ms)}`;
  if (result.error !== null && result.status === "runtime_error") {
    const hint = result.error.hint === null ? "" : `\n  hint: ${oneLine(result.error.hint)}`;
    const origin = result.error.origin === null ? "" : `${result.error.origin}: `;
    return `rauha: ${oneLine(origin + result.error.message)}${hint}\n`;
  }
  const cut = [result.stdout_truncated ? "stdout" : "", result.stderr_truncated ? "stderr" : ""].filter((name) => name);
  const truncated = cut.length === 0 ? "" : `; ${cut.join(" and ")} cut in the result, see --max-output`;
  return `rauha: ${endWords(result)} ${took} (policy ${result.policy?.name ?? "none"})${truncated}${changeWords(result)}${deniedWords(result)}\n`;
}

/** Of a task that failed, the calls that were denied, each once: most likely one of them is why. */
function deniedWords({ status, enforcement_events: events }: Result): string {
  if (status !== "failed") return "";
  const words = events.map(({ action, object, policy_key: key }) => {
    return oneLine(
      `denied: ${action}${object === null ? "" : ` of ${object}`}${(key ?? "") === "" ? "" : `; would need ${key}`}`,
    );
  });
  const different = [...new Set(words)];
  const more = different.length > MOST_DENIED ? [`and ${different.length - MOST_DENIED} more, see --json`] : [];
  return [...different.slice(0, MOST_DENIED), ...more].map((line) => `\n  ${line}`).join("");
}

/** What became of the task's changes, and how to look at those that wait. */
function changeWords({ changes, changes_omitted, workspace, task_id }: Result): string {
  const count = changes.length + changes_omitted;
  const words = count === 1 ? "1 change" : `${count} changes`;
  switch (workspace?.state) {
    case "kept":
      return `\n  ${words} kept: rauha diff ${task_id}, then rauha apply or rauha discard`;
    case "applied":
      return `; ${words} applied`;
    case "discarded":
      return `; ${words} discarded`;
    default:
      return "";
  }
}

function endWords(result: Result): string {
  const bySignal = result.signal === null ? `exit code ${result.exit_code}` : result.signal;
  switch (result.cause) {
    case "timeout":
      return "timed out";
    case "oom":
      return "ran out of memory";
    case "cpu_limit":
      return "reached its CPU limit";
    case "file_size_limit":
      return "reached its file size limit";
    case "cancelled":
      return "cancelled";
    default:
      return result.status === "succeeded" ? "succeeded" : `failed with ${bySignal}`;
  }
}

function renderMilliseconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(2)} s`;
}
