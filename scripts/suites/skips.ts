/**
 * The list of skips that are known and have a reason. Any other skip fails the run: a test that silently doesn't run is how a
 * guarantee gets lost.
 */
import type { TestCase } from "./junit.ts";
import type { RunAs, SuiteRun } from "./suites.ts";

export interface ExpectedSkip {
  readonly suite: string;
  readonly as: RunAs | "any";
  /** The test's full name (`group > test`); `*` stands for any text. */
  readonly name: string;
  readonly reason: string;
}

const KEYS = ["suite", "as", "name", "reason"] as const;
const RUNNERS: readonly string[] = ["root", "user", "vm", "any"];

/** Reads the list; an entry that says too little or too much is refused. */
export function parseExpectedSkips(text: string): ExpectedSkip[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new Error("expected-skips.json: a list is expected");
  return list.map((entry: Record<string, unknown>, index) => {
    const wrong = KEYS.filter((key) => typeof entry[key] !== "string" || entry[key] === "");
    const extra = Object.keys(entry).filter((key) => !(KEYS as readonly string[]).includes(key));
    if (wrong.length > 0) throw new Error(`expected-skips.json: entry ${index} lacks ${wrong.join(", ")}`);
    if (extra.length > 0)
      throw new Error(`expected-skips.json: entry ${index} has an unknown key: ${extra.join(", ")}`);
    if (!RUNNERS.includes(String(entry["as"]))) {
      throw new Error(`expected-skips.json: entry ${index}: "as" is one of ${RUNNERS.join(", ")}`);
    }
    return entry as unknown as ExpectedSkip;
  });
}

/** Whether this entry speaks of this test of this run. */
export function expectsSkip(entry: ExpectedSkip, run: SuiteRun, test: TestCase): boolean {
  if (entry.suite !== run.suite || (entry.as !== "any" && entry.as !== run.as)) return false;
  const pattern = entry.name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join("[\\s\\S]*")}$`).test(test.name);
}
