import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseJunit, type TestCase } from "../../../scripts/suites/junit.ts";
import { type ExpectedSkip, expectsSkip, parseExpectedSkips } from "../../../scripts/suites/skips.ts";
import { planRuns, SUITES, strayTests } from "../../../scripts/suites/suites.ts";
import { renderTallies, renderTotal, tallyRun } from "../../../scripts/suites/tally.ts";

const zone = { suite: "zone", as: "user" } as const;
const passed: TestCase = { name: "a", file: "test/zone/a.test.ts", outcome: "passed" };
const failed: TestCase = { name: "b", file: "test/zone/a.test.ts", outcome: "failed" };
const skipped: TestCase = { name: "mounts > c", file: "test/zone/a.test.ts", outcome: "skipped" };
const known: ExpectedSkip = { suite: "zone", as: "user", name: "mounts > c", reason: "no delegated cgroup" };

describe("a JUnit report", () => {
  test("is read case by case, with its groups, entities and outcomes", () => {
    const xml = `<?xml version="1.0"?><testsuites><testsuite name="f"><testsuite name="outer">
      <testcase name="ok" classname="outer" file="f.ts" />
      <testcase name="a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#x27;" classname="outer &gt; inner" file="f.ts"><skipped /></testcase>
      <testcase name="bad" classname="outer" file="f.ts"><failure message="x">at &lt;testcase name="no" /></failure></testcase>
      <testcase name="later" classname="" file="f.ts"><skipped message="TODO" /></testcase>
    </testsuite></testsuite></testsuites>`;
    expect(parseJunit(xml)).toEqual([
      { name: "outer > ok", file: "f.ts", outcome: "passed" },
      { name: `outer > inner > a <b> & "c" 'd'`, file: "f.ts", outcome: "skipped" },
      { name: "outer > bad", file: "f.ts", outcome: "failed" },
      { name: "later", file: "f.ts", outcome: "skipped" },
    ]);
  });

  test("that is empty or cut off has no passed test in it", () => {
    expect(parseJunit("")).toEqual([]);
    expect(parseJunit('<testsuites><testcase name="x" file="f"><fail')).toEqual([]);
  });
});

describe("the plan of runs", () => {
  test("root runs the privilege-sensitive suites twice, the others once", () => {
    const runs = planRuns({ isRoot: true, only: [], as: undefined }).map(({ suite, as }) => `${suite}:${as}`);
    expect(runs).toEqual(
      "check:root unit:root golden:root native:root native:user image:root image:user contract:root contract:user zone:root zone:user escape:root escape:user network:root network:user fuzz:root kernel:vm".split(
        " ",
      ),
    );
  });

  test("an ordinary user runs each once", () => {
    const runs = planRuns({ isRoot: false, only: [], as: undefined });
    expect(runs.map(({ suite }) => suite)).toEqual(SUITES.map(({ name }) => name));
    expect(new Set(runs.map(({ as }) => as))).toEqual(new Set(["user", "vm"] as const));
  });

  test("names and users narrow it", () => {
    expect(planRuns({ isRoot: true, only: ["zone"], as: "user" })).toEqual([{ suite: "zone", as: "user" }]);
    expect(planRuns({ isRoot: true, only: ["zone", "kernel"], as: "vm" })).toEqual([{ suite: "kernel", as: "vm" }]);
  });

  test("an unknown suite, or root for who isn't, is refused", () => {
    expect(() => planRuns({ isRoot: true, only: ["zones"], as: undefined })).toThrow(/no suite named zones/);
    expect(() => planRuns({ isRoot: false, only: [], as: "root" })).toThrow(/needs root/);
  });
});

describe("the folders under test/", () => {
  test("are all suites, and every suite is a folder with tests", () => {
    expect(strayTests(join(import.meta.dir, "../.."))).toEqual([]);
  });

  test("one that no suite runs is found, and so is a suite that is gone", () => {
    const folder = mkdtempSync(join(tmpdir(), "rauha-suites-"));
    try {
      for (const name of SUITES.flatMap((suite) => suite.folder ?? [])) {
        mkdirSync(join(folder, name, "deep"), { recursive: true });
        writeFileSync(join(folder, name, "deep", "a.test.ts"), "");
      }
      mkdirSync(join(folder, "support"));
      expect(strayTests(folder)).toEqual([]);
      mkdirSync(join(folder, "extra"));
      for (const file of ["extra/b.test.ts", "c.test.ts"]) writeFileSync(join(folder, file), "");
      rmSync(join(folder, "golden"), { recursive: true });
      rmSync(join(folder, "zone", "deep"), { recursive: true });
      expect(strayTests(folder)).toEqual([
        "test/c.test.ts holds tests and is no suite of scripts/suites/suites.ts",
        "test/extra holds tests and is no suite of scripts/suites/suites.ts",
        "test/golden is a suite and does not exist",
        "test/zone is a suite and holds no test",
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("the list of expected skips", () => {
  test("is read, and an entry without a reason is refused", () => {
    expect(parseExpectedSkips(JSON.stringify([known]))).toEqual([known]);
    expect(() => parseExpectedSkips(JSON.stringify([{ ...known, reason: "" }]))).toThrow(/entry 0 lacks reason/);
    expect(() => parseExpectedSkips(JSON.stringify([{ ...known, as: "admin" }]))).toThrow(/"as" is one of/);
    expect(() => parseExpectedSkips(JSON.stringify([{ ...known, why: "x" }]))).toThrow(/unknown key: why/);
    expect(() => parseExpectedSkips("{}")).toThrow(/a list is expected/);
  });

  test("matches by suite, user and name", () => {
    expect(expectsSkip(known, zone, skipped)).toBe(true);
    expect(expectsSkip({ ...known, as: "any" }, zone, skipped)).toBe(true);
    expect(expectsSkip({ ...known, as: "root" }, zone, skipped)).toBe(false);
    expect(expectsSkip({ ...known, suite: "escape" }, zone, skipped)).toBe(false);
    expect(expectsSkip({ ...known, name: "mounts > *" }, zone, skipped)).toBe(true);
    expect(expectsSkip({ ...known, name: "mounts" }, zone, skipped)).toBe(false);
    expect(expectsSkip({ ...known, name: "mounts . c" }, zone, skipped)).toBe(false);
  });
});

describe("the tally", () => {
  const of = (tests: TestCase[], exitCode = 0, expected: ExpectedSkip[] = []) =>
    tallyRun({ run: zone, tests, exitCode, seconds: 1 }, expected);

  test("counts", () => {
    expect(of([passed, passed, skipped], 0, [known])).toMatchObject({ passed: 2, failed: 0, skipped: 1, failures: [] });
    expect(of([passed, failed], 1)).toMatchObject({ passed: 1, failed: 1, skipped: 0 });
  });

  test("an unexpected skip fails", () => {
    const tally = of([passed, skipped]);
    expect(tally).toMatchObject({ passed: 1, failed: 1, skipped: 0 });
    expect(tally.failures[0]).toContain("mounts > c");
  });

  test("a suite that runs nothing fails, even with exit code 0", () => {
    expect(of([])).toMatchObject({ failed: 1, failures: ["zone as user: no test ran (exit code 0)"] });
  });

  test("a runner that ends badly fails, even when every test passed", () => {
    expect(of([passed], 124).failures).toEqual(["zone as user: exit code 124 although no test failed"]);
  });

  test("ends in one plain line", () => {
    const tallies = [of([passed, skipped], 0, [known]), of([passed, failed], 1)];
    expect(renderTotal(tallies)).toBe("2 passed, 1 failed, 1 skipped");
    expect(renderTallies(tallies)).toContain("FAILED zone as user: b (test/zone/a.test.ts)");
  });
});
