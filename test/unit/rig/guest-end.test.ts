import { describe, expect, test } from "bun:test";
import { endOfConsole, judge } from "../../../scripts/rig/guest.ts";
import { lineReader } from "../../../scripts/rig/ports.ts";

const progress = { bootMs: null, code: null, ended: null };
const panic = "rig: no root\n[ 1.0] Kernel panic - not syncing: Attempted to kill init!\n[ 1.1] Call Trace:\n";

describe("the end of a guest", () => {
  test("that said how its job ended is no failure of the rig", () => {
    expect(judge({ bootMs: 1, code: 3, ended: null }, panic, "")).toEqual({ kind: "finished", code: 3 });
  });

  test("before it was ready is a boot failure, with the panic named", () => {
    expect(judge(progress, panic, "")).toMatchObject({
      kind: "boot-failed",
      reason: "kernel panic: Attempted to kill init!",
      console: expect.stringContaining("rig: no root"),
    });
  });

  test("that never came is a boot failure too", () => {
    expect(judge({ ...progress, ended: "slow boot" }, "", "")).toMatchObject({
      kind: "boot-failed",
      reason: "the guest never said that it is ready",
    });
  });

  test("of QEMU itself shows what QEMU said", () => {
    expect(judge(progress, "", "qemu: no such disk\n")).toMatchObject({
      kind: "boot-failed",
      console: "qemu: no such disk",
    });
  });

  test("at work is told from one at boot", () => {
    expect(judge({ ...progress, bootMs: 1 }, panic, "").kind).toBe("died");
    expect(judge({ ...progress, bootMs: 1, ended: "slow job" }, "", "").kind).toBe("timed-out");
    expect(judge({ ...progress, bootMs: 1, ended: "interrupted" }, "", "").kind).toBe("interrupted");
    expect(judge({ ...progress, ended: "interrupted" }, "", "").kind).toBe("interrupted");
  });
});

describe("what is shown of the console", () => {
  const lines = (count: number, word: string): string[] =>
    Array.from({ length: count }, (_, index) => `${word}${index}`);

  test("is its end", () => {
    const shown = endOfConsole(lines(100, "l").join("\n")).split("\n");
    expect(shown).toHaveLength(30);
    expect(shown.at(-1)).toBe("l99");
  });

  test("of a crash is what led there, not the end of its trace", () => {
    const text = [
      ...lines(50, "before"),
      "BUG: kernel NULL pointer dereference",
      ...lines(50, "trace"),
      "Kernel panic - not syncing: Fatal",
    ];
    const shown = endOfConsole(text.join("\n")).split("\n");
    expect(shown).toContain("before49");
    expect(shown).toContain("BUG: kernel NULL pointer dereference");
    expect(shown).not.toContain("trace49");
  });
});

test("a line that arrives in pieces is one line", () => {
  const lines: string[] = [];
  const reader = lineReader((line) => lines.push(line));
  for (const byte of Buffer.from("ready 1.5\nexit ä\nrest")) reader(Uint8Array.of(byte));
  expect(lines).toEqual(["ready 1.5", "exit ä"]);
});
