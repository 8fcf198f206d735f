/**
 * Merges the guest's JUnit reports. Bun's reports are well-formed and regular, so the few attributes that matter are rewritten in
 * place and everything else stays as it came.
 */
import type { Identity } from "./suites.ts";

export interface Counts {
  readonly tests: number;
  readonly failures: number;
  readonly skipped: number;
}

/** The report of one test file under one identity; `xml` is null when the guest sent none. */
export interface FileReport {
  readonly identity: Identity;
  readonly file: string;
  readonly xml: string | null;
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const escapeXml = (text: string): string => text.replaceAll(/[&<>"]/g, (char) => escapes[char] ?? char);

/** The suites inside `<testsuites>`, every suite and test case of them named with whom it ran as. */
export function taggedSuites(xml: string, identity: Identity): string {
  const inside = /<testsuites\b[^>]*>([\s\S]*)<\/testsuites>/.exec(xml)?.[1] ?? "";
  return inside
    .replaceAll(
      /<(testsuite|testcase)(\s[^>]*?)?\sname="([^"]*)"/g,
      (_whole, tag: string, before: string | undefined, name: string) =>
        `<${tag}${before ?? ""} name="${name} [as=vm-${identity}]"`,
    )
    .trim();
}

export function countTests(suites: string): Counts {
  const count = (pattern: RegExp): number => suites.match(pattern)?.length ?? 0;
  return {
    tests: count(/<testcase\b/g),
    failures: count(/<(failure|error)\b/g),
    skipped: count(/<skipped\b/g),
  };
}

/** A suite that stands for a file whose process ended without a report: it crashed, or the guest did. */
function lostSuite(report: FileReport, reason: string): string {
  const name = escapeXml(`${report.file} [as=vm-${report.identity}]`);
  const message = escapeXml(reason);
  return `<testsuite name="${name}" tests="1" failures="1" skipped="0"><testcase name="${name}" classname="${name}" file="${escapeXml(report.file)}"><failure type="Lost" message="${message}"/></testcase></testsuite>`;
}

export interface Merged {
  readonly xml: string;
  readonly counts: Counts;
}

export function mergeReports(reports: readonly FileReport[], lostReason: string): Merged {
  const suites = reports.map((report) => {
    const tagged = report.xml === null ? "" : taggedSuites(report.xml, report.identity);
    return tagged === "" ? lostSuite(report, lostReason) : tagged;
  });
  const body = suites.join("\n");
  const counts = countTests(body);
  const attributes = `tests="${counts.tests}" failures="${counts.failures}" skipped="${counts.skipped}"`;
  return {
    counts,
    xml: `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="kernel rig" ${attributes}>\n${body}\n</testsuites>\n`,
  };
}
