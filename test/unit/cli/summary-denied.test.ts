/** The last line for people, when calls of a task that failed were denied. */
import { describe, expect, test } from "bun:test";
import { summaryLine } from "../../../src/cli/summary.ts";
import type { BackendEvent } from "../../../src/run/backend-event.ts";
import { syscallTable } from "../../../src/run/seccomp/syscalls.ts";
import { planned } from "../plan/inputs.ts";
import { cleaned, ended, resultOf, started } from "../result/run.ts";

const EXIT_1 = 256;

function denied(call: string, object = ""): BackendEvent {
  const nr = syscallTable("x86_64").numbers.get(call) ?? -1;
  const args = new Uint8Array(48);
  return { at: 1, record: "denied", nr, arch: 0xc000_003e, pid: 7, comm: "task", object, args };
}

function summary(status: number, ...events: readonly BackendEvent[]): string {
  return summaryLine(resultOf(planned({}), [started, ...events, ended({ status }), cleaned]).result);
}

describe("denied calls", () => {
  test("are named with what they would need, each once", () => {
    expect(
      summary(EXIT_1, denied("chroot", "/srv"), denied("chroot", "/srv"), denied("add_key")).split("\n").slice(1),
    ).toEqual([
      '  denied: chroot of /srv; would need capabilities.allowed = ["CAP_SYS_CHROOT"]',
      '  denied: add_key; would need syscalls.allow = ["add_key"]',
      "",
    ]);
  });

  test("beyond three are counted", () => {
    const calls = ["bpf", "mount", "umount2", "reboot", "acct"].map((call) => denied(call));
    const lines = summary(EXIT_1, ...calls)
      .trimEnd()
      .split("\n");
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toBe("  and 2 more, see --json");
  });

  test("of a task that did well are no news", () => {
    expect(summary(0, denied("bpf"))).not.toContain("denied");
  });

  test("can't break the line by a path", () => {
    expect(summary(EXIT_1, denied("chroot", "/a\nrauha: succeeded")).trimEnd().split("\n")).toHaveLength(2);
  });
});
