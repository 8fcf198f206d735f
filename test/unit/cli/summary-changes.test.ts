import { expect, test } from "bun:test";
import { summaryLine } from "../../../src/cli/summary.ts";
import type { Result } from "../../../src/run/result/schema.ts";
import { planned } from "../plan/inputs.ts";
import { cleaned, ended, resultOf, started } from "../result/run.ts";

type State = NonNullable<Result["workspace"]>["state"];

function summaryWith(state: State, count: number): string {
  const { result } = resultOf(planned({}), [started, ended(), cleaned]);
  const change = { path: "a", kind: "added", size: 1, type: "file", mode: "0644" } as const;
  return summaryLine({
    ...result,
    changes: Array.from({ length: count }, () => change),
    changes_omitted: 0,
    workspace: { mode: "overlay", mechanism: "overlayfs", state },
  });
}

test("changes that are kept name the commands that look at them", () => {
  const line = summaryWith("kept", 2);
  expect(line).toContain("2 changes kept: rauha diff task_0011, then rauha apply or rauha discard\n");
});

test("one change is one change, applied or discarded", () => {
  expect(summaryWith("applied", 1)).toEndWith("; 1 change applied\n");
  expect(summaryWith("discarded", 1)).toEndWith("; 1 change discarded\n");
});

test("nothing is said where nothing changed or nothing was kept apart", () => {
  expect(summaryWith("unchanged", 0)).toBe("rauha: succeeded in 42 ms (policy task)\n");
  expect(summaryWith(null, 0)).toBe("rauha: succeeded in 42 ms (policy task)\n");
});
