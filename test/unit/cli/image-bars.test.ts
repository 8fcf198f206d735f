import { describe, expect, test } from "bun:test";
import { openPullBars, pullLines } from "../../../src/cli/image-bars.ts";
import { pullReport } from "../../../src/cli/image-progress.ts";
import { countWords, retryWords, sizeWords } from "../../../src/cli/image-words.ts";
import type { Ports } from "../../../src/cli/ports.ts";
import type { PullEvent } from "../../../src/image/types.ts";

const mebibyte = 1 << 20;
type State = Extract<PullEvent, { event: "layer" }>["state"];

const layer = (seed: number, state: State, bytes: number, size = 10 * mebibyte) => ({
  event: "layer" as const,
  digest: `sha256:${seed.toString(16).padStart(64, "0")}`,
  state,
  bytes,
  size,
});

const resolved: PullEvent = {
  event: "resolved",
  reference: "h.example/a:1",
  digest: `sha256:${"0".repeat(64)}`,
  platform: "linux/amd64",
  layers: 3,
  size: 30 * mebibyte,
};

function screen(terminal: boolean, env: Record<string, string> = {}) {
  const written: { fd: number; text: string }[] = [];
  const ports: Ports = {
    write: (fd, text) => void written.push({ fd, text }),
    isTerminal: () => terminal,
    backend: () => Promise.reject(new Error("no backend is needed")),
    env,
    cwd: "/",
  };
  return {
    ports,
    written,
    text: (fd: number) =>
      written
        .filter((one) => one.fd === fd)
        .map(({ text }) => text)
        .join(""),
  };
}

describe("the lines of a pull", () => {
  test("show what is under way, and a sum", () => {
    const layers = [layer(1, "verified", 10 * mebibyte), layer(2, "downloading", 5 * mebibyte), layer(3, "waiting", 0)];
    expect(pullLines(layers, 30 * mebibyte, 3)).toEqual([
      "  000000000000 [============            ] 5.00 MiB of 10.0 MiB",
      "  000000000000 another process fetches it",
      "[============            ] 15.0 MiB of 30.0 MiB, 1 of 3 layers",
    ]);
  });

  test("are no more than a small terminal has", () => {
    const layers = Array.from({ length: 200 }, (_, seed) => layer(seed, "downloading", 1));
    const lines = pullLines(layers, 2000 * mebibyte, 200);
    expect(lines).toHaveLength(10);
    expect(lines.at(-2)).toBe("  and 192 more");
  });

  test.each([
    [0, 0],
    [10, 0],
    [20, 10],
  ])("are sound for %d of %d bytes", (bytes, size) => {
    const [line = ""] = pullLines([layer(1, "downloading", bytes, size)], size, 1);
    expect(line).toMatch(/\[[= ]{24}\]/);
  });
});

describe("on a terminal", () => {
  test("each drawing goes over the last one, and the end leaves nothing", () => {
    const { ports, text } = screen(true);
    const bars = openPullBars(ports);
    bars.tell(resolved);
    bars.tell(layer(1, "downloading", 0));
    bars.tell(layer(1, "verified", 10 * mebibyte));
    bars.end();
    bars.end();
    const shown = text(2);
    expect(shown.startsWith("\u001b[2Kpulling h.example/a:1 for linux/amd64\n")).toBeTrue();
    // Three lines up for the second drawing and to clear, and up again after clearing: nothing is drawn for the second end.
    expect(shown.split("\u001b[").flatMap((code) => /^(\d+)A/.exec(code)?.[1] ?? [])).toEqual(["3", "3", "3"]);
    expect(shown.endsWith("\u001b[3A")).toBeTrue();
    expect(text(1)).toBe("");
  });

  test("bytes are drawn a few times a second, changes of state at once", () => {
    const { ports, written } = screen(true);
    const bars = openPullBars(ports);
    bars.tell(resolved);
    for (let bytes = 0; bytes < 10_000; bytes++) bars.tell(layer(1, "downloading", bytes));
    bars.tell(layer(1, "verified", 10_000));
    expect(written.length).toBeLessThan(100);
    expect(written.at(-1)?.text).toContain("1 of 3 layers");
  });

  test("what a registry says can't steer it", () => {
    const { ports, text } = screen(true);
    const bars = openPullBars(ports);
    bars.tell({ event: "retry", what: "x", reason: "\u001b]0;title\u0007\u001b[2J\nmore", delay_ms: 100 });
    bars.end();
    expect(text(2)).toBe("rauha: x: \\u001b]0;title\\u0007\\u001b[2J more; trying again in 0.1 s\n");
  });
});

describe("elsewhere", () => {
  test("a log gets a line for the pull and one for each retry", () => {
    const { ports, text } = screen(false);
    const report = pullReport(ports, false);
    for (const event of [resolved, layer(1, "downloading", 5), layer(1, "verified", 10)]) report.tell(event);
    report.tell({ event: "retry", what: "layer 1", reason: "it broke off", delay_ms: 0 });
    report.end();
    expect(text(2)).toBe(
      "rauha: pulling h.example/a:1 (3 layers, 30.0 MiB)\nrauha: layer 1: it broke off; trying again\n",
    );
  });

  test("a dumb terminal gets the same", () => {
    const { ports, text } = screen(true, { TERM: "dumb" });
    pullReport(ports, false).tell(resolved);
    expect(text(2)).not.toContain("\u001b");
  });

  test("with --json each event is a line on stdout", () => {
    const { ports, text } = screen(true);
    const report = pullReport(ports, true);
    report.tell(resolved);
    report.tell(layer(1, "verified", 10));
    expect(
      text(1)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).event),
    ).toEqual(["resolved", "layer"]);
    expect(text(2)).toBe("");
  });
});

describe("words", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "0.98 KiB"],
    [1024, "1.00 KiB"],
    [12.34 * mebibyte, "12.3 MiB"],
    [999 * mebibyte, "999 MiB"],
    [1000 * mebibyte, "0.98 GiB"],
    [5 * 2 ** 50, "5120 TiB"],
  ])("%d bytes are %s", (bytes, words) => expect(sizeWords(bytes)).toBe(words));

  test("one and many", () => {
    expect([countWords(0, "layer"), countWords(1, "layer"), countWords(2, "layer")]).toEqual([
      "0 layers",
      "1 layer",
      "2 layers",
    ]);
    expect(retryWords({ event: "retry", what: "a", reason: "b", delay_ms: 1500 })).toBe("a: b; trying again in 1.5 s");
  });
});
