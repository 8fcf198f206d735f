import { describe, expect, test } from "bun:test";
import { type FileReport, mergeReports, taggedSuites } from "../../../scripts/rig/junit.ts";
import { parseJunit } from "../../../scripts/suites/junit.ts";

const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="3" failures="1" skipped="1">
  <testsuite name="test/kernel/a.test.ts" file="test/kernel/a.test.ts" tests="3">
    <testsuite name="group &quot;g&quot;" file="test/kernel/a.test.ts">
      <testcase name="passes" classname="group &quot;g&quot;" time="0.1" file="test/kernel/a.test.ts" line="2" />
      <testcase name="fails" classname="group &quot;g&quot;" file="test/kernel/a.test.ts">
        <failure type="AssertionError" message="name=&quot;x&quot;" />
      </testcase>
      <testcase name="skips" classname="group &quot;g&quot;" file="test/kernel/a.test.ts"><skipped /></testcase>
    </testsuite>
  </testsuite>
</testsuites>
`;
const file = "test/kernel/a.test.ts";

describe("a merged report", () => {
  const merged = mergeReports(
    [
      { identity: "root", file, xml, code: 1 },
      { identity: "user", file, xml, code: 1 },
    ],
    "lost",
  );

  test("counts all", () => {
    expect(merged.counts).toEqual({ tests: 6, failures: 2, skipped: 2 });
    expect(merged.xml).toContain('<testsuites name="kernel rig" tests="6" failures="2" skipped="2">');
  });

  test("is read back by the runner of all suites, with who ran what", () => {
    expect(parseJunit(merged.xml).map(({ name, outcome }) => `${name}: ${outcome}`)).toEqual([
      'group "g" > passes [as=vm-root]: passed',
      'group "g" > fails [as=vm-root]: failed',
      'group "g" > skips [as=vm-root]: skipped',
      'group "g" > passes [as=vm-user]: passed',
      'group "g" > fails [as=vm-user]: failed',
      'group "g" > skips [as=vm-user]: skipped',
    ]);
  });

  test("leaves everything but names as it came", () => {
    expect(taggedSuites(xml, "root").replaceAll(" [as=vm-root]", "")).toBe(
      xml.slice(xml.indexOf("<testsuite "), xml.indexOf("</testsuites>")).trim(),
    );
  });
});

describe("a file whose runner did not end well", () => {
  const passed = xml.replace(/<failure[^>]*>/, "");
  const names = (report: Omit<FileReport, "identity" | "file">): string[] =>
    parseJunit(mergeReports([{ identity: "user", file, ...report }], "the guest died").xml)
      .filter(({ outcome }) => outcome === "failed")
      .map(({ name }) => name);

  test("is a failed test when it reported none", () => {
    expect(names({ xml: null, code: 139 })).toEqual([`${file} [as=vm-user]`]);
    expect(names({ xml: passed, code: 1 })).toEqual([`${file} [as=vm-user]`]);
  });

  test("is its own failed tests when it reported them", () => {
    expect(names({ xml, code: 1 })).toEqual(['group "g" > fails [as=vm-user]']);
  });

  test("is a failed test besides what it reported when the guest did not say how it ended", () => {
    expect(names({ xml: passed, code: null })).toEqual([`${file} [as=vm-user]`]);
  });

  test("is told why, escaped", () => {
    const merged = mergeReports([{ identity: "user", file, xml: null, code: null }], 'died & said "no"');
    expect(merged.xml).toContain('message="died &amp; said &quot;no&quot;"');
  });

  test("is a failed test when half its report came", () => {
    const half = xml.slice(0, xml.indexOf("</testsuites>"));
    expect(names({ xml: half, code: 1 })).toEqual([`${file} [as=vm-user]`]);
  });
});

test("a file that holds no test for an identity is no failure", () => {
  const { counts } = mergeReports([{ identity: "user", file, xml: null, code: 0 }], "");
  expect(counts).toEqual({ tests: 0, failures: 0, skipped: 0 });
});
