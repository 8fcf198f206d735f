import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkSizes, quantile } from "../../../scripts/check-sizes.ts";

const trees: string[] = [];

/** A tree with files of so many lines, measured. */
function measure(files: Record<string, number>): ReturnType<typeof checkSizes> {
  const root = mkdtempSync(join(tmpdir(), "sizes-"));
  trees.push(root);
  for (const [file, lines] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), "x\n".repeat(lines));
  }
  return checkSizes(root);
}

afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true, force: true });
});

test("files at their caps pass", () => {
  const { breaches } = measure({
    "src/run/a.ts": 100,
    "scripts/a.ts": 300,
    "bench/a.ts": 300,
    "native/launcher/main.c": 400,
    "native/bpf/a.bpf.c": 400,
    "guest/agent.c": 400,
    "test/unit/a.test.ts": 300,
    "test/probe/a.c": 400,
  });
  expect(breaches).toEqual([]);
});

test("files over their caps are named with their lines", () => {
  const { breaches } = measure({
    "src/run/a.ts": 10,
    "scripts/deep/a.ts": 301,
    "native/bpf/a.bpf.c": 401,
    "native/launcher/ops.h": 402,
    "test/unit/a.test.ts": 301,
    "test/probe/a.c": 401,
  });
  expect(breaches).toEqual([
    "scripts/deep/a.ts has 301 lines, at most 300",
    "test/unit/a.test.ts has 301 lines, at most 300",
    "native/bpf/a.bpf.c has 401 lines, at most 400",
    "native/launcher/ops.h has 402 lines, at most 400",
    "test/probe/a.c has 401 lines, at most 400",
  ]);
});

test("generated files have no cap", () => {
  const { breaches } = measure({
    "src/run/policies.gen.ts": 5000,
    "native/launcher/ops.gen.h": 5000,
    "native/bpf/vmlinux.h": 50000,
    "test/golden/plan.gen.ts": 2000,
  });
  expect(breaches).toEqual([]);
});

test("the launcher has a cap of its own", () => {
  const files = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`native/launcher/f${index}.c`, 380]));
  expect(measure(files).breaches).toEqual(["native/launcher has 3420 lines of code, at most 3400"]);
});

test("the median and the 90th percentile of src have caps", () => {
  expect(measure({ "src/run/a.ts": 101, "src/run/b.ts": 150, "src/run/c.ts": 10 }).breaches).toEqual([
    "the median file of src has 101 lines, at most 100",
  ]);
  expect(measure({ "src/run/a.ts": 10, "src/run/b.ts": 10, "src/run/c.ts": 201 }).breaches).toEqual([
    "the 90th percentile of src is 201 lines, at most 200",
  ]);
});

test("the ratio of tests to source counts both languages", () => {
  const { facts } = measure({ "src/run/a.ts": 50, "native/launcher/main.c": 50, "test/unit/a.test.ts": 200 });
  expect(facts).toContain("tests: 200 lines, 2.00 for each line of source");
});

test("quantile is the nearest rank", () => {
  expect(quantile([], 0.5)).toBe(0);
  expect(quantile([7], 0.9)).toBe(7);
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2);
  expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9)).toBe(9);
});
