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

/** What the guest sent of one test file under one identity; null where it sent nothing. */
export interface FileReport {
  readonly identity: Identity;
  readonly file: string;
  readonly xml: string | null;
  /** Bun's exit code. */
  readonly code: number | null;
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

/**
 * One report of all. Only a process that ended with 0 is believed when it reports no failure, or, since a file may hold no test for
 * an identity, nothing at all.
 */
export function mergeReports(reports: readonly FileReport[], lostReason: string): Merged {
  const body = reports.map((report) => suitesOf(report, lostReason)).join("\n");
  const counts = countTests(body);
  const attributes = `tests="${counts.tests}" failures="${counts.failures}" skipped="${counts.skipped}"`;
  const head = `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="kernel rig" ${attributes}>`;
  return { counts, xml: `${head}\n${body}\n</testsuites>\n` };
}

function suitesOf(report: FileReport, lostReason: string): string {
  const tagged = report.xml === null ? "" : taggedSuites(report.xml, report.identity);
  if (report.code === 0) return tagged;
  if (report.code === null) return [tagged, lostSuite(report, lostReason)].join("\n");
  if (countTests(tagged).failures > 0) return tagged;
  return [tagged, lostSuite(report, `bun ended with exit code ${report.code}, but reported no failure`)].join("\n");
}
